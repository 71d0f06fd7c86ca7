-- Where are these sends stored? $1: senders (uuid[]), $2: their client_generated_id (uuid[]), pairwise.
-- In psql: end with  \bind '{…}' '{…}' \g  in place of the semicolon.
select m.id, m.chat_id, m.seq, m.sender_id, m.client_generated_id, m.status, m.message_text as text,
  (extract(epoch from m.created_at) * 1000000)::bigint as created_us, m.deleted_at is not null as deleted
from unnest($1::uuid[], $2::uuid[]) as send (sender_id, client_generated_id)
join public.chat_messages m
  on m.sender_id = send.sender_id and m.client_generated_id = send.client_generated_id;
