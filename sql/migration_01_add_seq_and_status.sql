-- Migration 01: seq, client_generated_id and status on chat_messages; numbers the messages that are there.
--
-- Run it with psql, on a direct or session-mode connection (port 5432, not the pooler's 6543):
--     psql -v ON_ERROR_STOP=1 -f sql/migration_01_add_seq_and_status.sql
--
-- Not in Supabase's SQL Editor and not by `supabase db push`: both put the whole file into one transaction,
-- in which CREATE INDEX CONCURRENTLY and the backfill's COMMITs are refused. The first statement notices that
-- and stops, before anything has changed.
--
-- Safe to run again, also after a run that was cancelled or lost its connection at any point: batches that were
-- committed stay, and an index that was left half-built is built anew.
--
-- Writers go on meanwhile. A statement that needs a strong lock asks for it for at most a second at a time, and
-- gives way in between; indexes are built CONCURRENTLY; the constraint is validated under a lock that lets
-- writers pass; the backfill holds the rows of one batch. Between 01 and 02 new messages have seq NULL;
-- migration 02 numbers them before its trigger takes over.
--
-- The backfill updates every message once. If chat_messages is in publication supabase_realtime already, each of
-- these updates is an event to whoever listens; an UPDATE trigger of your own fires as well. To go gentler, run
--     CALL public.backfill_message_seq(1000, 0.2);   -- rows a batch, seconds of rest between batches
-- in a second session: both share the work.
-- To watch it:  SELECT count(*) FROM public.chat_messages WHERE seq IS NULL;

do $$ begin perform set_config('chatsoak.in_one_transaction', 'yes', true); end $$;
do $$
begin
  if current_setting('chatsoak.in_one_transaction', true) = 'yes' then
    raise exception 'migration 01 cannot run inside one transaction; nothing has been changed'
      using errcode = 'active_sql_transaction',
            hint = 'Run it with: psql -v ON_ERROR_STOP=1 -f sql/migration_01_add_seq_and_status.sql';
  end if;
  if not pg_try_advisory_lock(hashtextextended('chatsoak migrations', 0)) then
    raise exception 'another session is running a migration now'
      using errcode = 'lock_not_available', hint = 'Wait for it to end, then run this file again.';
  end if;
end
$$;

set statement_timeout = 0;
set lock_timeout = 0;

-- Runs DDL that needs a strong lock: whoever waits for one makes every later query of the table wait behind it,
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

-- 1. Columns. A constant default rewrites nothing: https://www.postgresql.org/docs/current/ddl-alter.html
-- From the first moment they belong to the server: what a client puts into them at INSERT is ignored,
-- and an UPDATE of them (or of what a message's identity and place rest on) by a client is refused.

create or replace function public.protect_server_columns() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'INSERT' then
    new.seq := null;
    new.status := 'sent';
    return new;
  end if;
  raise exception 'id, chat_id, sender_id, seq, client_generated_id and status of a message are set by the server'
    using errcode = 'insufficient_privilege';
end
$$;
revoke all on function public.protect_server_columns() from public, anon, authenticated;

do $$
begin
  if (
    select count(*) from pg_attribute
    where attrelid = 'public.chat_messages'::regclass
      and attname in ('seq', 'client_generated_id', 'status') and not attisdropped
  ) < 3 or (
    select count(*) from pg_trigger
    where tgrelid = 'public.chat_messages'::regclass and tgenabled in ('O', 'A')
      and tgname in ('trg_00_ignore_server_columns', 'trg_00_protect_server_columns')
  ) < 2 then
    -- Triggers of one kind fire in the order of their names: these two before trg_assign_seq.
    call pg_temp.patiently($ddl$
      alter table public.chat_messages
        add column if not exists seq bigint,
        add column if not exists client_generated_id uuid,
        add column if not exists status text default 'sent';
      create or replace trigger trg_00_ignore_server_columns
        before insert on public.chat_messages for each row
        when (current_user in ('anon', 'authenticated')
              and (new.seq is not null or new.status is distinct from 'sent'))
        execute function public.protect_server_columns();
      create or replace trigger trg_00_protect_server_columns
        before update on public.chat_messages for each row
        when (current_user in ('anon', 'authenticated')
              and (old.id, old.chat_id, old.sender_id, old.seq, old.client_generated_id, old.status)
                is distinct from (new.id, new.chat_id, new.sender_id, new.seq, new.client_generated_id, new.status))
        execute function public.protect_server_columns();
    $ddl$);
  end if;
end
$$;

do $$
begin
  if not exists (
    select from pg_constraint
    where conrelid = 'public.chat_messages'::regclass and conname = 'chat_messages_status_check'
  ) then
    call pg_temp.patiently($ddl$
      alter table public.chat_messages add constraint chat_messages_status_check
        check (status in ('sent', 'delivered', 'read')) not valid;
    $ddl$);
  end if;
end
$$;
alter table public.chat_messages validate constraint chat_messages_status_check;

-- 2. The newest seq that each chat has handed out. It only grows, so a seq is never given twice, not even after
-- the newest message was deleted. It is no column of chats, because that table is published and written by the app.
-- No foreign key: it would make whoever deletes a chat and whoever writes in it wait for one another.

begin;
create table if not exists public.chat_seq_counters (
  chat_id uuid primary key,
  last_seq bigint not null check (last_seq >= 0)
) with (fillfactor = 50);
alter table public.chat_seq_counters enable row level security;
revoke all on public.chat_seq_counters from public, anon, authenticated, service_role;
commit;

-- 3. Indexes that the backfill needs. One that a cancelled run left INVALID is dropped first: CREATE INDEX ...
-- IF NOT EXISTS would take it for a good one.

do $$
declare
  broken regclass;
begin
  for broken in
    select i.indexrelid from pg_index i
    join pg_class c on c.oid = i.indexrelid
    where i.indrelid in ('public.chat_messages'::regclass, 'public.chat_participants'::regclass)
      and not i.indisvalid
      and c.relname in (
        'uq_chat_messages_chat_id_seq', 'uq_chat_messages_client_generated', 'idx_chat_messages_chat_id_seq_desc',
        'idx_chat_messages_status', 'idx_chat_messages_seq_pending', 'idx_chat_participants_last_read'
      )
  loop
    call pg_temp.patiently(format('drop index if exists %s', broken));
  end loop;
end
$$;

create index concurrently if not exists idx_chat_participants_last_read
  on public.chat_participants (chat_id, last_read_at);
-- The messages without seq, in the order in which they will get one; empty once all have one.
create index concurrently if not exists idx_chat_messages_seq_pending
  on public.chat_messages (chat_id, (coalesce(created_at, '-infinity'::timestamptz)), id) where seq is null;

-- 4. Backfill.

-- Numbers the next p_batch_size messages after the given place, by chat, created_at and id; answers how many,
-- and the place it has come to. Rows before that place are not looked at again, so a batch costs the same
-- however many came before it. A chat's counter stays locked until the caller commits: whoever else
-- wants a seq there waits, and so nothing gets the same one.
-- Status: 'read' if another participant's last_read_at says so, otherwise 'sent' as for a new message.
create or replace function public.number_messages(
  p_batch_size integer, inout p_chat_id uuid, inout p_created_at timestamptz, inout p_id uuid, out numbered bigint
)
language plpgsql volatile set search_path = ''
as $$
declare
  v_last record;
begin
  with picked as materialized (
    select m.id, m.chat_id, m.sender_id, coalesce(m.created_at, '-infinity'::timestamptz) as created_at
    from public.chat_messages m
    where m.seq is null
      and (m.chat_id, coalesce(m.created_at, '-infinity'::timestamptz), m.id) > (p_chat_id, p_created_at, p_id)
    order by m.chat_id, coalesce(m.created_at, '-infinity'::timestamptz), m.id
    limit p_batch_size
    for no key update
  ), needed as materialized (
    select p.chat_id, count(*) as messages from picked p group by p.chat_id
  ), reserved as (
    insert into public.chat_seq_counters as c (chat_id, last_seq)
    select n.chat_id, n.messages from needed n order by n.chat_id
    on conflict (chat_id) do update set last_seq = c.last_seq + excluded.last_seq
    returning c.chat_id, c.last_seq
  ), places as materialized (
    select p.id, p.chat_id, p.created_at,
      r.last_seq - n.messages + row_number() over (partition by p.chat_id order by p.created_at, p.id) as seq,
      exists (
        select from public.chat_participants reader
        where reader.chat_id = p.chat_id and reader.last_read_at >= p.created_at and reader.user_id <> p.sender_id
      ) as was_read
    from picked p join needed n on n.chat_id = p.chat_id join reserved r on r.chat_id = p.chat_id
  ), written as (
    update public.chat_messages m
    set seq = p.seq, status = case when p.was_read then 'read' else m.status end
    from places p where m.id = p.id
  )
  select p.chat_id, p.created_at, p.id, count(*) over () as messages into v_last
  from places p order by p.chat_id desc, p.created_at desc, p.id desc limit 1;

  numbered := coalesce(v_last.messages, 0);
  if numbered > 0 then
    p_chat_id := v_last.chat_id;
    p_created_at := v_last.created_at;
    p_id := v_last.id;
  end if;
end
$$;

-- Numbers every message that has no seq, a transaction a batch, until none is left. CALL it outside a transaction.
create or replace procedure public.backfill_message_seq(
  p_batch_size integer default 5000, p_pause_s double precision default 0
)
language plpgsql
as $$
declare
  v_chat_id uuid;
  v_created_at timestamptz;
  v_id uuid;
  v_numbered bigint;
  v_in_pass bigint;
  v_total bigint := 0;
  v_failed integer := 0;
begin
  -- Numbers that are there already, say from an earlier attempt of one's own, are kept and not given again.
  insert into public.chat_seq_counters as c (chat_id, last_seq)
  select given.chat_id, given.newest
  from (select m.chat_id, max(m.seq) as newest from public.chat_messages m where m.seq is not null group by 1) given
  left join public.chat_seq_counters k on k.chat_id = given.chat_id
  where k.last_seq is null or k.last_seq < given.newest
  on conflict (chat_id) do update set last_seq = greatest(c.last_seq, excluded.last_seq);
  commit;

  -- A message whose transaction ends late may turn up behind the place we have come to: the next pass finds it.
  loop
    v_chat_id := '00000000-0000-0000-0000-000000000000';
    v_created_at := '-infinity';
    v_id := '00000000-0000-0000-0000-000000000000';
    v_in_pass := 0;
    loop
      begin
        select n.p_chat_id, n.p_created_at, n.p_id, n.numbered
        into v_chat_id, v_created_at, v_id, v_numbered
        from public.number_messages(p_batch_size, v_chat_id, v_created_at, v_id) n;
        v_failed := 0;
      exception when lock_not_available or deadlock_detected then
        -- Another transaction holds one of these rows: let it finish, then take the same batch again.
        v_failed := v_failed + 1;
        if v_failed >= 60 then
          raise;
        end if;
        v_numbered := null;
      end;
      commit;
      if v_numbered is null then
        perform pg_sleep(0.2 + random());
        continue;
      end if;
      exit when v_numbered = 0;
      v_in_pass := v_in_pass + v_numbered;
      if (v_total + v_in_pass) / 100000 > (v_total + v_in_pass - v_numbered) / 100000 then
        raise notice 'seq backfill: % messages numbered', v_total + v_in_pass;
      end if;
      if p_pause_s > 0 then
        perform pg_sleep(p_pause_s);
      end if;
    end loop;
    exit when v_in_pass = 0;
    v_total := v_total + v_in_pass;
  end loop;
end
$$;

revoke all on function public.number_messages(integer, uuid, timestamptz, uuid)
  from public, anon, authenticated, service_role;
revoke all on procedure public.backfill_message_seq(integer, double precision)
  from public, anon, authenticated, service_role;

call public.backfill_message_seq();

-- Frees the old row versions for re-use, and tells the planner what the new columns hold.
vacuum (analyze, truncate off) public.chat_messages;

-- 5. The app's indexes, built once all is numbered: faster than keeping them up to date row by row.
-- idx_chat_messages_chat_id_seq_desc comes after the unique one: of two that serve a query equally well,
-- PostgreSQL takes the younger, and history should read by this one.

create unique index concurrently if not exists uq_chat_messages_chat_id_seq on public.chat_messages (chat_id, seq);
create unique index concurrently if not exists uq_chat_messages_client_generated
  on public.chat_messages (sender_id, client_generated_id);
create index concurrently if not exists idx_chat_messages_chat_id_seq_desc on public.chat_messages (chat_id, seq desc);
create index concurrently if not exists idx_chat_messages_status on public.chat_messages (chat_id, status);

reset lock_timeout;
reset statement_timeout;
do $$ begin perform pg_advisory_unlock(hashtextextended('chatsoak migrations', 0)); end $$;

-- ROLLBACK INSTRUCTIONS
--   Roll back migration 02 first (03 may stay), then
--       psql -v ON_ERROR_STOP=1 -f sql/rollback/migration_01_add_seq_and_status.sql
--   Data loss: seq, client_generated_id and status of every message are gone for good.
