-- Sessions that wait for a lock now, and how long the one that waits longest has waited.
select 'locks.waiting' as name, count(distinct pid)::double precision as value
from pg_locks where not granted
union all
select 'locks.longest_wait_ms',
  coalesce(max(extract(epoch from clock_timestamp() - waitstart)) * 1000, 0)::double precision
from pg_locks where not granted;
