-- Fault: message $1 gets the seq of the message before it. Needs repeat_seq_rate_prepare.sql.
update public.chat_messages m set seq = m.seq - 1
where m.id = $1
  and exists (select from public.chat_messages earlier where earlier.chat_id = m.chat_id and earlier.seq = m.seq - 1);
