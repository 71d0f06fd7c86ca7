-- Removes the chats that chatsoak has created, with everything in them.
delete from public.chats where name like 'chatsoak %';
