-- Who waits for whom: each session that waits for a lock, the longest first, with each session that it waits for.
-- Without pg_read_all_stats the statements of others are hidden. pg_blocking_pids also names those who only stand before
-- it in the queue; a bound keeps the answer small when hundreds wait for one.
with waiting as (
  select pid, coalesce(clock_timestamp() - waitstart, interval '0') as waited, locktype || ' ' || mode as lock, relation
  from pg_locks
  where not granted
  order by waitstart
  limit 50
)
select w.pid as waiting_pid, blocker.pid as blocking_pid,
  (extract(epoch from w.waited) * 1000)::double precision as waited_ms, w.lock,
  (select c.relname::text from pg_class c where c.oid = w.relation) as relation,
  waits.application_name as waiting_application, waits.query as waiting_statement,
  blocks.application_name as blocking_application, blocks.state as blocking_state, blocks.query as blocking_statement
from waiting w
cross join lateral (select distinct pid from unnest(pg_blocking_pids(w.pid)) as b (pid) order by pid limit 4) blocker
left join pg_stat_activity waits on waits.pid = w.pid
left join pg_stat_activity blocks on blocks.pid = blocker.pid
order by w.waited desc
limit 100;
