-- The functions of the API: arguments by name with their types, and whether they give back rows.
select p.proname as name, p.proretset as returns_rows,
  coalesce(p.proargnames[1:p.pronargs], '{}') as arguments,
  (select coalesce(array_agg(format_type(t.type, null) order by t.place), '{}')
   from unnest(p.proargtypes::oid[]) with ordinality as t (type, place)) as types
from pg_proc p
where p.pronamespace = 'public'::regnamespace
  and p.prokind = 'f'
  and p.prorettype <> 'trigger'::regtype;
