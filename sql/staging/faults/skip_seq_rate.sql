-- Fault: the chat of message $1 loses its next seq.
update public.chat_seq_counters set last_seq = last_seq + 1
where chat_id = (select chat_id from public.chat_messages where id = $1);
