-- Undoes migration 03: the five tables leave supabase_realtime and get REPLICA IDENTITY DEFAULT back.
--     psql -v ON_ERROR_STOP=1 -f sql/rollback/migration_03_realtime_publication.sql
-- Safe to run again. The publication itself stays: Supabase brings it along, and Realtime needs it.
-- A table that was in the publication before migration 03 leaves it as well: nothing records that it was.

do $$
declare
  v_table regclass;
begin
  foreach v_table in array array[
    'public.chats', 'public.chat_participants', 'public.chat_messages', 'public.message_reactions', 'public.attachments'
  ]::regclass[]
  loop
    -- ALTER PUBLICATION ... DROP TABLE knows no IF EXISTS.
    if exists (
      select from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
      where p.pubname = 'supabase_realtime' and r.prrelid = v_table
    ) then
      execute format('alter publication supabase_realtime drop table %s', v_table);
    end if;
    if exists (select from pg_class where oid = v_table and relreplident <> 'd') then
      execute format('alter table %s replica identity default', v_table);
    end if;
  end loop;
end
$$;
