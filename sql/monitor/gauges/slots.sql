-- How far each replication slot, Realtime's among them, is behind: what its reader has not confirmed yet (a logical
-- slot), the log that the server keeps for it, and whether anybody reads it. Slots come and go; each has its name.
select 'slot.' || s.slot_name || '.' || gauge.name as name, gauge.value
from pg_replication_slots s
cross join lateral (values
  ('lag_bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::double precision),
  ('retained_bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::double precision),
  ('active', s.active::integer::double precision)
) as gauge (name, value)
union all
select 'slots', count(*)::double precision from pg_replication_slots;
