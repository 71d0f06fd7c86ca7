-- Fault: message $1 is stored once more, under a new id.
insert into public.chat_messages (chat_id, sender_id, message_text)
select chat_id, sender_id, message_text from public.chat_messages where id = $1;
