-- Rows of the app's tables by the server's count, and how vacuum and analyze keep up with them. vacuum_due is the number
-- of dead rows from which on autovacuum should come: threshold + scale factor * rows, capped since PostgreSQL 18.
-- Source: https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM
with settled as (
  select c.oid, c.reltuples,
    coalesce(max(o.option_value) filter (where o.option_name = 'autovacuum_vacuum_threshold'),
      current_setting('autovacuum_vacuum_threshold'))::double precision as threshold,
    coalesce(max(o.option_value) filter (where o.option_name = 'autovacuum_vacuum_scale_factor'),
      current_setting('autovacuum_vacuum_scale_factor'))::double precision as scale_factor,
    coalesce(max(o.option_value) filter (where o.option_name = 'autovacuum_vacuum_max_threshold'),
      current_setting('autovacuum_vacuum_max_threshold', true))::double precision as most
  from pg_class c
  left join lateral pg_options_to_table(c.reloptions) o on true
  where c.relnamespace = to_regnamespace('public') and c.relkind = 'r'
  group by c.oid, c.reltuples
)
select 'table.' || s.relname || '.' || gauge.name as name, gauge.value
from pg_stat_user_tables s
join settled on settled.oid = s.relid
cross join lateral (values
  ('rows_live', s.n_live_tup::double precision),
  ('rows_dead', s.n_dead_tup::double precision),
  ('vacuum_due', least(threshold + scale_factor * greatest(reltuples, 0), nullif(most, -1))),
  ('inserted', s.n_tup_ins::double precision),
  ('updated', s.n_tup_upd::double precision),
  ('updated_in_place', s.n_tup_hot_upd::double precision),
  ('deleted', s.n_tup_del::double precision),
  ('vacuums', s.vacuum_count::double precision),
  ('autovacuums', s.autovacuum_count::double precision),
  ('analyzes', (s.analyze_count + s.autoanalyze_count)::double precision),
  ('vacuumed_at_s', extract(epoch from greatest(s.last_vacuum, s.last_autovacuum))::double precision),
  ('analyzed_at_s', extract(epoch from greatest(s.last_analyze, s.last_autoanalyze))::double precision),
  ('sequential_scans', s.seq_scan::double precision),
  ('index_scans', s.idx_scan::double precision)
) as gauge (name, value)
where s.schemaname = 'public' and s.relname in ('accounts', 'chats', 'chat_participants', 'chat_messages',
  'chat_seq_counters', 'message_reactions', 'attachments');
