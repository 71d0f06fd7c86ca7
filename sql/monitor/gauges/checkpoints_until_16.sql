-- Checkpoints since the server's counters were reset, and what they cost, as PostgreSQL tells it up to version 16.
select gauge.name, gauge.value
from pg_stat_bgwriter c
cross join lateral (values
  ('checkpoints.timed', c.checkpoints_timed::double precision),
  ('checkpoints.requested', c.checkpoints_req::double precision),
  ('checkpoints.write_ms', c.checkpoint_write_time),
  ('checkpoints.sync_ms', c.checkpoint_sync_time),
  ('checkpoints.buffers', c.buffers_checkpoint::double precision)
) as gauge (name, value);
