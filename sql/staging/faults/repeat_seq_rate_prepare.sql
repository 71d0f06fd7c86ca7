-- Fault: without its unique index, the database takes a seq twice.
drop index if exists public.uq_chat_messages_chat_id_seq;
