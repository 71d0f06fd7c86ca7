-- Has anything come into these holes? $1: chats (uuid[]), $2 and $3: first and last missing seq (bigint[]), threewise.
-- In psql: end with  \bind '{…}' '{7}' '{9}' \g  in place of the semicolon.
select m.id, m.chat_id, m.seq, m.sender_id, m.client_generated_id, m.status, m.message_text as text,
  (extract(epoch from m.created_at) * 1000000)::bigint as created_us, m.deleted_at is not null as deleted
from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as hole (chat_id, low, high)
join public.chat_messages m on m.chat_id = hole.chat_id and m.seq between hole.low and hole.high;
