-- Size and dead rows of the chat's tables.
select 'table.' || s.relname || '.' || gauge.name as name, gauge.value
from pg_stat_user_tables s
cross join lateral (values
  ('rows_live', s.n_live_tup::double precision),
  ('rows_dead', s.n_dead_tup::double precision),
  ('bytes', pg_table_size(s.relid)::double precision),
  ('index_bytes', pg_indexes_size(s.relid)::double precision)
) as gauge (name, value)
where s.schemaname = 'public' and s.relname in ('chat_messages', 'chat_participants', 'chats');
