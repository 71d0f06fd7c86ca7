-- What each chat holds above its frontier, the highest seq below which nothing is missing.
-- $1: chats (uuid[]), $2: their frontiers (bigint[]). Reads the index (chat_id, seq) from the frontier upwards,
-- so that its cost follows the new rows, whatever the size of the table.
-- In psql: end with  \bind '{…,…}' '{0,0}' \g  in place of the semicolon.
select m.id, m.chat_id, m.seq, m.sender_id, m.client_generated_id, m.status, m.message_text as text,
  (extract(epoch from m.created_at) * 1000000)::bigint as created_us, m.deleted_at is not null as deleted
from unnest($1::uuid[], $2::bigint[]) as frontier (chat_id, seq)
cross join lateral (
  select * from public.chat_messages newer
  where newer.chat_id = frontier.chat_id and newer.seq > frontier.seq
) m;
