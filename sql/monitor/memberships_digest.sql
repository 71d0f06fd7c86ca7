-- Differs, but for one chance in 2^64, when somebody else is in these chats than before. $1: the chats (uuid[]).
-- In psql: end with  \bind '{…}' \g  in place of the semicolon.
select count(*), sum(uuid_hash_extended(p.user_id, uuid_hash_extended(p.chat_id, 0)))::text
from public.chat_participants p where p.chat_id = any ($1::uuid[]);
