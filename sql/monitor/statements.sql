-- The statements of this database that took the most time since the counters were reset, the monitor's among them.
select query, calls, total_exec_time as total_ms, mean_exec_time as mean_ms, rows,
  shared_blks_hit, shared_blks_read, wal_bytes::double precision as wal_bytes
from pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
order by total_exec_time desc
limit 20;
