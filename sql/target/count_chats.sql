-- How many chats chatsoak has created here, and how many messages are in them ($1: ids of its people).
-- By hand in psql: put \bind '{…}' \g after it in place of the semicolon.
select count(distinct c.id) as chats, count(m.id) as messages
from public.chats c
left join public.chat_messages m on m.chat_id = c.id
-- The name alone would take in a chat that somebody has named so; without its author only the name is left.
where c.name in ('chatsoak direct', 'chatsoak group') and (c.created_by = any ($1::uuid[]) or c.created_by is null);
