-- Counters of this database since they were last reset.
select gauge.name, gauge.value
from pg_stat_database d
cross join lateral (values
  ('transactions.committed', d.xact_commit::double precision),
  ('transactions.rolled_back', d.xact_rollback::double precision),
  ('tuples.returned', d.tup_returned::double precision),
  ('tuples.fetched', d.tup_fetched::double precision),
  ('tuples.inserted', d.tup_inserted::double precision),
  ('tuples.updated', d.tup_updated::double precision),
  ('tuples.deleted', d.tup_deleted::double precision),
  ('deadlocks', d.deadlocks::double precision),
  ('conflicts', d.conflicts::double precision),
  ('blocks.hit', d.blks_hit::double precision),
  ('blocks.read', d.blks_read::double precision),
  ('temporary.bytes', d.temp_bytes::double precision)
) as gauge (name, value)
where d.datname = current_database();
