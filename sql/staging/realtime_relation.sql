-- What Realtime must know of a table ($1, its oid) beside what the replication stream says: its types' names, its
-- primary key, whether row level security is on, and which columns each of the roles $2 may read.
select
  c.relrowsecurity as has_rls,
  a.attname as name,
  t.typname as type_name,
  format_type(a.atttypid, a.atttypmod) as declared_type,
  coalesce(a.attnum = any (k.conkey), false) as in_primary_key,
  array(
    -- A role that does not exist (any more) reads nothing.
    select r.rolname::text from pg_roles r
    where r.rolname = any ($2::text[]) and has_column_privilege(r.oid, a.attrelid, a.attnum, 'SELECT')
  ) as readers
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
where c.oid = $1::oid
order by a.attnum
