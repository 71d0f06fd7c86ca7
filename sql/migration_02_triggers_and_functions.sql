-- Migration 02: the trigger that gives each new message its seq, and the functions for receipts.
--
-- Run it after migration 01, with psql, on a direct or session-mode connection:
--     psql -v ON_ERROR_STOP=1 -f sql/migration_02_triggers_and_functions.sql
-- Not in Supabase's SQL Editor and not by `supabase db push`: both put the whole file into one transaction, in
-- which the backfill of what arrived since migration 01 cannot commit. The first statement notices and stops.
--
-- Safe to run again, also after a run that was interrupted. Writers wait only while the last few messages without
-- seq are numbered and the trigger is created, which is one transaction, so that no message slips through between.
--
-- What holds from then on, inside one chat: seq starts at 1 and has no gap and no duplicate; a seq is never given
-- again after its message was deleted; messages are committed in the order of seq (the chat's counter stays locked
-- until the writer's transaction ends, so keep those short); a rolled-back insert uses up no seq; what the client
-- writes into seq or status is replaced. One transaction that writes into several chats should take them in the
-- order of their ids, or two of these may deadlock and one of them be refused.
-- A dump restored with `pg_restore --data-only` needs --disable-triggers to keep its seq.

do $$ begin perform set_config('chatsoak.in_one_transaction', 'yes', true); end $$;
do $$
begin
  if current_setting('chatsoak.in_one_transaction', true) = 'yes' then
    raise exception 'migration 02 cannot run inside one transaction; nothing has been changed'
      using errcode = 'active_sql_transaction',
            hint = 'Run it with: psql -v ON_ERROR_STOP=1 -f sql/migration_02_triggers_and_functions.sql';
  end if;
  if to_regprocedure('public.backfill_message_seq(integer,double precision)') is null
    or to_regclass('public.chat_seq_counters') is null
    or not exists (
      select from pg_index i where i.indexrelid = to_regclass('public.idx_chat_messages_status') and i.indisvalid
    )
  then
    raise exception 'migration 01 is missing or has not come to its end'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Run sql/migration_01_add_seq_and_status.sql first; it is safe to run again.';
  end if;
  if not pg_try_advisory_lock(hashtextextended('chatsoak migrations', 0)) then
    raise exception 'another session is running a migration now'
      using errcode = 'lock_not_available', hint = 'Wait for it to end, then run this file again.';
  end if;
end
$$;

set statement_timeout = 0;
set lock_timeout = 0;

-- Runs what needs a strong lock: whoever waits for one makes every later query of the table wait behind it,
-- so no attempt waits longer than a second.
create or replace procedure pg_temp.patiently(p_sql text)
language plpgsql
as $$
begin
  for attempt in 1..60 loop
    begin
      set local lock_timeout = '1s';
      execute p_sql;
      return;
    exception when lock_not_available then
      perform pg_sleep(0.2 + random());
    end;
  end loop;
  raise exception 'no lock in 60 attempts for: %', p_sql
    using errcode = 'lock_not_available',
          hint = 'A long transaction holds the table (see pg_stat_activity.xact_start); end it, then run this file again.';
end
$$;

-- 1. The next seq of a chat.

create or replace function public.assign_message_seq() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  -- Locks the chat's counter until the end of the transaction.
  insert into public.chat_seq_counters as c (chat_id, last_seq) values (new.chat_id, 1)
  on conflict (chat_id) do update set last_seq = c.last_seq + 1
  returning c.last_seq into new.seq;

  -- A repeat of a stored message will not be stored (INSERT ... ON CONFLICT DO NOTHING comes here before it
  -- looks for a conflict): give its seq back, or the chat would have a gap.
  if exists (select from public.chat_messages m where m.id = new.id)
    or (new.client_generated_id is not null and exists (
      select from public.chat_messages m
      where m.sender_id = new.sender_id and m.client_generated_id = new.client_generated_id
    ))
  then
    update public.chat_seq_counters c set last_seq = c.last_seq - 1 where c.chat_id = new.chat_id;
    new.seq := null;
  end if;

  new.status := 'sent';
  return new;
end
$$;
revoke all on function public.assign_message_seq() from public, anon, authenticated, service_role;

-- 2. Receipts. All four functions read and write as their owner, past row level security, and so they check
-- for themselves who asks.

-- Refuses (SQLSTATE 42501) whoever is not p_user_id, and a p_user_id who is not in the chat. A session whose role
-- bypasses row level security (service_role, or a direct one of the database's owner) may act for any participant.
-- current_setting('role') is the role the API has switched to, also in here, where current_user is the owner.
create or replace function public.assert_may_act(p_chat_id uuid, p_user_id uuid) returns void
language plpgsql stable set search_path = ''
as $$
begin
  if p_user_id is null or p_user_id is distinct from auth.uid() then
    if not exists (
      select from pg_catalog.pg_roles r
      where r.rolname = coalesce(nullif(pg_catalog.current_setting('role', true), 'none'), session_user)
        and (r.rolsuper or r.rolbypassrls)
    ) then
      raise exception 'not allowed to act for another user' using errcode = 'insufficient_privilege';
    end if;
  end if;
  if not exists (
    select from public.chat_participants p where p.chat_id = p_chat_id and p.user_id = p_user_id
  ) then
    raise exception 'not a participant of this chat' using errcode = 'insufficient_privilege';
  end if;
end
$$;
revoke all on function public.assert_may_act(uuid, uuid) from public, anon, authenticated, service_role;

-- Both mark functions lock the rows they will change in the order of seq, so that two of them never wait for each
-- other. "seq + 0" keeps the planner from reading the whole chat in that order: with (chat_id, status) the cost
-- follows the messages that are still to be marked. enable_seqscan = off is for a plan that was made, and kept,
-- when the table was small.

create or replace function public.mark_messages_as_delivered(p_chat_id uuid, p_receiver_id uuid)
returns table (updated_count bigint)
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off
as $$
declare
  v_ids uuid[];
begin
  perform public.assert_may_act(p_chat_id, p_receiver_id);

  select array_agg(locked.id) into v_ids
  from (
    select m.id from public.chat_messages m
    where m.chat_id = p_chat_id and m.status = 'sent' and m.sender_id <> p_receiver_id
    order by m.seq + 0
    for no key update
  ) locked;

  update public.chat_messages m set status = 'delivered', updated_at = now() where m.id = any (v_ids);
  get diagnostics updated_count = row_count;
  return next;
end
$$;

create or replace function public.mark_messages_as_read(p_chat_id uuid, p_user_id uuid)
returns table (updated_count bigint)
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off
as $$
declare
  v_ids uuid[];
begin
  perform public.assert_may_act(p_chat_id, p_user_id);

  select array_agg(locked.id) into v_ids
  from (
    select m.id from public.chat_messages m
    where m.chat_id = p_chat_id and m.status in ('sent', 'delivered') and m.sender_id <> p_user_id
    order by m.seq + 0
    for no key update
  ) locked;

  update public.chat_messages m set status = 'read', updated_at = now() where m.id = any (v_ids);
  get diagnostics updated_count = row_count;

  update public.chat_participants p set last_read_at = greatest(p.last_read_at, now())
  where p.chat_id = p_chat_id and p.user_id = p_user_id;
  return next;
end
$$;

-- Messages of others that this user has not read: those after the user's last_read_at, and those that
-- nobody has read. In a group, status 'read' says that somebody has read it, and not that this user has.
create or replace function public.get_unread_count(p_chat_id uuid, p_user_id uuid) returns bigint
language plpgsql stable security definer set search_path = '' set enable_seqscan = off
as $$
declare
  v_read_at timestamptz;
  v_read_seq bigint;
begin
  perform public.assert_may_act(p_chat_id, p_user_id);

  select p.last_read_at into v_read_at
  from public.chat_participants p where p.chat_id = p_chat_id and p.user_id = p_user_id;

  -- From the newest message back to the first that is old enough: as many steps as there are unread ones.
  select m.seq into v_read_seq from public.chat_messages m
  where m.chat_id = p_chat_id and m.seq is not null and m.created_at <= v_read_at
  order by m.seq desc limit 1;
  v_read_seq := coalesce(v_read_seq, 0);

  return (
    select count(*) from public.chat_messages m
    where m.chat_id = p_chat_id and m.seq > v_read_seq and m.sender_id <> p_user_id and m.deleted_at is null
  ) + (
    select count(*) from public.chat_messages m
    where m.chat_id = p_chat_id and m.status in ('sent', 'delivered') and m.seq <= v_read_seq
      and m.sender_id <> p_user_id and m.deleted_at is null
  );
end
$$;

-- The seq of the chat's newest message, 0 if it has none.
create or replace function public.get_latest_seq(p_chat_id uuid) returns bigint
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not exists (
    select from pg_catalog.pg_roles r
    where r.rolname = coalesce(nullif(pg_catalog.current_setting('role', true), 'none'), session_user)
      and (r.rolsuper or r.rolbypassrls)
  ) then
    perform public.assert_may_act(p_chat_id, auth.uid());
  end if;
  return coalesce((select max(m.seq) from public.chat_messages m where m.chat_id = p_chat_id), 0);
end
$$;

revoke all on function public.mark_messages_as_delivered(uuid, uuid) from public, anon;
revoke all on function public.mark_messages_as_read(uuid, uuid) from public, anon;
revoke all on function public.get_unread_count(uuid, uuid) from public, anon;
revoke all on function public.get_latest_seq(uuid) from public, anon;
grant execute on function public.mark_messages_as_delivered(uuid, uuid) to authenticated, service_role;
grant execute on function public.mark_messages_as_read(uuid, uuid) to authenticated, service_role;
grant execute on function public.get_unread_count(uuid, uuid) to authenticated, service_role;
grant execute on function public.get_latest_seq(uuid) to authenticated, service_role;

-- 3. The trigger takes over. What arrived since migration 01 is numbered first, batch by batch; then, with writers
-- held off, the few that came during that.

call public.backfill_message_seq();

do $$
begin
  if not exists (
    select from pg_trigger
    where tgrelid = 'public.chat_messages'::regclass and tgname = 'trg_assign_seq' and tgenabled in ('O', 'A')
      and tgfoid = 'public.assign_message_seq()'::regprocedure
  ) then
    call pg_temp.patiently($ddl$
      lock table public.chat_messages in share row exclusive mode;
      select public.number_messages(
        2147483647, '00000000-0000-0000-0000-000000000000', '-infinity', '00000000-0000-0000-0000-000000000000'
      );
      create or replace trigger trg_assign_seq before insert on public.chat_messages
        for each row execute function public.assign_message_seq();
    $ddl$);
  end if;
end
$$;

reset lock_timeout;
reset statement_timeout;
do $$ begin perform pg_advisory_unlock(hashtextextended('chatsoak migrations', 0)); end $$;

-- ROLLBACK INSTRUCTIONS
--       psql -v ON_ERROR_STOP=1 -f sql/rollback/migration_02_triggers_and_functions.sql
--   No data is lost. New messages have seq NULL from then on; running migration 02 again numbers them.
