-- Each chat of the run as it is before the first send. $1: the chats (uuid[]).
-- In psql: end with  \bind '{…}' \g  in place of the semicolon.
select c.id as chat_id,
  coalesce((select max(m.seq) from public.chat_messages m where m.chat_id = c.id), 0) as seq,
  (select count(*) from public.chat_messages m where m.chat_id = c.id) as rows
from unnest($1::uuid[]) as c (id);
