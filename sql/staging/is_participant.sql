-- Whether the caller is in chat $1.
select public.is_chat_participant($1);
