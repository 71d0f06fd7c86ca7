-- These messages ($1: uuid[]) as they are now; what is not in the answer is gone.
-- In psql: end with  \bind '{…}' \g  in place of the semicolon.
select m.id, m.chat_id, m.seq, m.sender_id, m.client_generated_id, m.status, m.message_text as text,
  (extract(epoch from m.created_at) * 1000000)::bigint as created_us, m.deleted_at is not null as deleted
from public.chat_messages m
where m.id = any ($1::uuid[]);
