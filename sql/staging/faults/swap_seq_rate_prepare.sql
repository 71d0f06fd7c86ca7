-- Fault: the unique index checks row by row, which a swap would not pass.
drop index if exists public.uq_chat_messages_chat_id_seq;
