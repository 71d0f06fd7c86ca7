-- Removes the chats that chatsoak has created, with everything in them ($1: ids of its people). As in count_chats.sql.
delete from public.chats c
where c.name in ('chatsoak direct', 'chatsoak group') and (c.created_by = any ($1::uuid[]) or c.created_by is null);
