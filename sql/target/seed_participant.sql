-- Person $2 is in chat $1.
insert into public.chat_participants (chat_id, user_id) values ($1, $2);
