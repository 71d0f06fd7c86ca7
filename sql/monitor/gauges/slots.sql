-- How far replication slots, Realtime's among them, are behind.
select 'slots.lag_bytes' as name,
  coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)), 0)::double precision as value
from pg_replication_slots where slot_type = 'logical';
