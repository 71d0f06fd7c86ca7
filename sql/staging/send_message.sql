-- A message of the caller ($1 chat, $2 text, $3 client_generated_id or null).
-- No row comes back when it was stored before under the same client_generated_id: see find_repeat.sql.
insert into public.chat_messages (chat_id, sender_id, message_text, client_generated_id)
values ($1, auth.uid(), $2, $3)
on conflict (sender_id, client_generated_id) do nothing
returning id, chat_id, sender_id, message_text, message_type, client_generated_id, seq, status, created_at, updated_at;
