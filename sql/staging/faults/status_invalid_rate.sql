-- Fault: the newest message of chat $1 gets a status outside the three. Needs status_invalid_rate_prepare.sql.
update public.chat_messages set status = 'seen'
where id = (select id from public.chat_messages where chat_id = $1 and seq is not null order by seq desc limit 1);
