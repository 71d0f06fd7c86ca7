-- Fault: the stored text of message $1 loses its last character and gains another.
update public.chat_messages set message_text = left(message_text, -1) || '?' where id = $1;
