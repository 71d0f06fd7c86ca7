-- Bytes of the app's tables (with their free space map and long texts) and of their indexes. To measure a table takes
-- a lock on it; one that somebody holds for himself alone, to alter it for one, is left out rather than waited for.
select 'table.' || c.relname || '.' || gauge.name as name, gauge.value
from pg_class c
cross join lateral (values
  ('bytes', pg_table_size(c.oid)::double precision),
  ('index_bytes', pg_indexes_size(c.oid)::double precision)
) as gauge (name, value)
where c.relnamespace = to_regnamespace('public') and c.relkind = 'r'
  and c.relname in ('accounts', 'chats', 'chat_participants', 'chat_messages', 'chat_seq_counters',
    'message_reactions', 'attachments')
  and not exists (
    select from pg_locks l where l.relation = c.oid and l.mode = 'AccessExclusiveLock' and l.granted
  );
