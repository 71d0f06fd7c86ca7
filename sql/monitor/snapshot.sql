-- The snapshot that this transaction reads by, and the database's clock (µs).
-- xmin: its oldest running transaction. One that began before xmin has ended, so whatever it was to store is visible or
-- will never be. next_xid: the id that the next transaction gets, so that whoever ran when the snapshot was taken, and
-- had an id, has a smaller one. (The snapshot's own xmax is one more than the newest id that has *ended*: transactions
-- above it may be running.) age() counts from the counter of transactions, in 32 bits; xmax has the upper ones.
-- server_us: since when this server is there (µs): its start, or its last crash, after which the postmaster goes on and
-- starts its checkpointer again, which ends for nothing else. Without pg_read_all_stats the kind of a process is hidden;
-- then the counters tell: a crash empties all of them, a reset by hand those that it names.
-- Both ids are read without taking an id, so that the monitor never is the oldest transaction itself.
select xmin, xmax + ((age('3'::xid)::bigint + 3 - xmax) & 4294967295) as next_xid,
  (extract(epoch from clock_timestamp()) * 1000000)::bigint as database_us,
  (extract(epoch from greatest(
    pg_postmaster_start_time(),
    coalesce(
      (select backend_start from pg_stat_activity where backend_type = 'checkpointer'),
      (select least(writer.stats_reset, archiver.stats_reset, wal.stats_reset)
       from pg_stat_bgwriter writer, pg_stat_archiver archiver, pg_stat_wal wal)
    )
  )) * 1000000)::bigint as server_us
from (
  select pg_snapshot_xmin(taken)::text::bigint as xmin, pg_snapshot_xmax(taken)::text::bigint as xmax
  from pg_current_snapshot() as taken
) ids;
