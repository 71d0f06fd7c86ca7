-- Counters of every statement of this database that the server counts, the monitor's among them. The key tells two
-- statements apart; the same one is counted for each user, and apart when a function calls it.
-- Without pg_read_all_stats the statements of other users have no id, and are left out.
select userid || '/' || queryid || '/' || toplevel as key, calls, total_exec_time as total_ms, rows,
  shared_blks_hit as blocks_hit, shared_blks_read as blocks_read, wal_bytes::double precision as wal_bytes
from pg_stat_statements(false)
where dbid = (select oid from pg_database where datname = current_database()) and queryid is not null;
