-- Whether everybody sees what the transactions $1 (xid[]) have committed. A commit stands in the log, where a slot reads it, a
-- moment before it is visible; until then row level security would find no row to show.
-- Their ids have 32 bits, a snapshot's 64: each is the one of its kind that lies the nearest to the snapshot's xmax.
select coalesce(bool_and(pg_visible_in_snapshot(
  (near + (committed - near + 2147483648 & 4294967295) - 2147483648)::text::xid8, taken
)), true)
from pg_current_snapshot() as taken
cross join lateral (select pg_snapshot_xmax(taken)::text::bigint as near) as snapshot
cross join lateral (select id::text::bigint as committed from unnest($1::xid[]) as id) as ids
