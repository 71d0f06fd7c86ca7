-- The snapshot that this transaction reads by: its oldest running transaction, and the database's clock (µs).
-- A transaction that began before xmin has ended, so whatever it was to store is visible or will never be.
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
  (extract(epoch from clock_timestamp()) * 1000000)::bigint as database_us;
