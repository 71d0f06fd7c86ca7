-- Fault: the newest read message of chat $1 goes back to sent.
update public.chat_messages set status = 'sent'
where id = (
  select id from public.chat_messages
  where chat_id = $1 and status = 'read' and seq is not null order by seq desc limit 1
);
