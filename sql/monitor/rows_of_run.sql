-- Every message of the run's chats since the run began, for the last look.
-- $1: chats (uuid[]), $2: their newest seq before the first send (bigint[]), $3: when that was (µs, database's clock).
-- A row with an old seq that was stored during the run is a fault, and must be found too: hence created_at.
-- In psql: end with  \bind '{…,…}' '{0,0}' 0 \g  in place of the semicolon.
select m.id, m.chat_id, m.seq, m.sender_id, m.client_generated_id, m.status, m.message_text as text,
  (extract(epoch from m.created_at) * 1000000)::bigint as created_us, m.deleted_at is not null as deleted
from unnest($1::uuid[], $2::bigint[]) as baseline (chat_id, seq)
join public.chat_messages m on m.chat_id = baseline.chat_id
where m.seq > baseline.seq
  or m.seq is null
  or m.created_at >= to_timestamp($3::bigint / 1000000.0);
