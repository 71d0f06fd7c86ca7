-- Fault: message $1 loses its seq.
update public.chat_messages set seq = null where id = $1;
