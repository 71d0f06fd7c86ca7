-- A page of a chat's history by keyset: $1 chat, $2 exclusive upper bound of seq or null, $3 at most so many rows.
select id, chat_id, sender_id, message_text, message_type, client_generated_id, seq, status, created_at, updated_at
from public.chat_messages
where chat_id = $1 and seq < coalesce($2, 9223372036854775807) and deleted_at is null
order by seq desc
limit $3;
