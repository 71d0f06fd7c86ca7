-- Migration 03: Realtime sees the chat's tables: REPLICA IDENTITY FULL and membership of supabase_realtime.
--
-- Run it with psql:
--     psql -v ON_ERROR_STOP=1 -f sql/migration_03_realtime_publication.sql
-- (This one also runs in Supabase's SQL Editor; a strong lock is then kept until its end, so prefer psql.)
--
-- Safe to run again. A table that is as it should be is not touched. The publication is created only if it is
-- missing. REPLICA IDENTITY FULL makes each UPDATE and DELETE write the whole old row into the WAL.

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

do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end
$$;

create or replace procedure pg_temp.publish(p_table regclass)
language plpgsql
as $$
begin
  if exists (select from pg_class where oid = p_table and relreplident <> 'f') then
    call pg_temp.patiently(format('alter table %s replica identity full', p_table));
  end if;
  -- pg_publication_rel lists what was added by name; a publication FOR ALL TABLES has the table anyhow.
  if not exists (select from pg_publication where pubname = 'supabase_realtime' and puballtables)
    and not exists (
      select from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
      where p.pubname = 'supabase_realtime' and r.prrelid = p_table
    )
  then
    call pg_temp.patiently(format('alter publication supabase_realtime add table %s', p_table));
  end if;
end
$$;

call pg_temp.publish('public.chats');
call pg_temp.publish('public.chat_participants');
call pg_temp.publish('public.chat_messages');
call pg_temp.publish('public.message_reactions');
call pg_temp.publish('public.attachments');

-- ROLLBACK INSTRUCTIONS
--       psql -v ON_ERROR_STOP=1 -f sql/rollback/migration_03_realtime_publication.sql
--   Takes all five tables out of the publication, also those that were in it before this migration.
