-- Undoes migration 01. DATA LOSS: seq, client_generated_id and status of every message are gone for good, and so is
-- the knowledge of which seq were handed out.
--     psql -v ON_ERROR_STOP=1 -f sql/rollback/migration_01_add_seq_and_status.sql
-- Safe to run again. Refuses while migration 02 is in place, whose trigger would make every insert fail.

do $$
begin
  if exists (select from pg_trigger where tgrelid = 'public.chat_messages'::regclass and tgname = 'trg_assign_seq')
    or to_regprocedure('public.mark_messages_as_read(uuid,uuid)') is not null
  then
    raise exception 'migration 02 is still in place; nothing has been changed'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Run sql/rollback/migration_02_triggers_and_functions.sql first.';
  end if;
end
$$;

set lock_timeout = '5s';

begin;
drop trigger if exists trg_00_ignore_server_columns on public.chat_messages;
drop trigger if exists trg_00_protect_server_columns on public.chat_messages;
drop index if exists public.idx_chat_messages_status;
drop index if exists public.idx_chat_messages_chat_id_seq_desc;
drop index if exists public.uq_chat_messages_client_generated;
drop index if exists public.uq_chat_messages_chat_id_seq;
drop index if exists public.idx_chat_messages_seq_pending;
drop index if exists public.idx_chat_participants_last_read;
alter table public.chat_messages
  drop constraint if exists chat_messages_status_check,
  drop column if exists status,
  drop column if exists client_generated_id,
  drop column if exists seq;
drop procedure if exists public.backfill_message_seq(integer, double precision);
drop function if exists public.number_messages(integer, uuid, timestamptz, uuid);
drop function if exists public.protect_server_columns();
drop table if exists public.chat_seq_counters;
commit;

reset lock_timeout;
