-- Undoes migration 02: the trigger and the functions go.
--     psql -v ON_ERROR_STOP=1 -f sql/rollback/migration_02_triggers_and_functions.sql
-- Safe to run again. No data is lost: seq and status of the messages stay, and so do the counters of migration 01,
-- so that a later run of migration 02 goes on where this one ended. Until then new messages have seq NULL.

set lock_timeout = '5s';

drop trigger if exists trg_assign_seq on public.chat_messages;
drop function if exists public.assign_message_seq();
drop function if exists public.mark_messages_as_read(uuid, uuid);
drop function if exists public.mark_messages_as_delivered(uuid, uuid);
drop function if exists public.get_unread_count(uuid, uuid);
drop function if exists public.get_latest_seq(uuid);
drop function if exists public.assert_may_act(uuid, uuid);

reset lock_timeout;
