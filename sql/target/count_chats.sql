-- How many chats chatsoak has created here, and how many messages are in them.
select count(distinct c.id) as chats, count(m.id) as messages
from public.chats c
left join public.chat_messages m on m.chat_id = c.id
where c.name like 'chatsoak %';
