-- Who is in these chats. $1: the chats (uuid[]).
-- In psql: end with  \bind '{…}' \g  in place of the semicolon.
select p.chat_id, p.user_id from public.chat_participants p where p.chat_id = any ($1::uuid[]);
