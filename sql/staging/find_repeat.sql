-- The caller's message that is stored under client_generated_id $1.
select id, chat_id, sender_id, message_text, message_type, client_generated_id, seq, status, created_at, updated_at
from public.chat_messages
where sender_id = auth.uid() and client_generated_id = $1;
