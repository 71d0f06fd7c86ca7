-- Checkpoints since the server's counters were reset, and what they cost.
select gauge.name, gauge.value
from pg_stat_checkpointer c
cross join lateral (values
  ('checkpoints.timed', c.num_timed::double precision),
  ('checkpoints.requested', c.num_requested::double precision),
  ('checkpoints.write_ms', c.write_time),
  ('checkpoints.sync_ms', c.sync_time),
  ('checkpoints.buffers', c.buffers_written::double precision)
) as gauge (name, value);
