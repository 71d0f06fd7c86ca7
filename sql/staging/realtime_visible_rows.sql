-- Which rows of a table whom row level security lets see, for many askers in one call.
-- Run once a connection; the function lives in pg_temp, so that the database keeps nothing of it.
--
-- p_key, p_key_types: the primary key's columns and their types.
-- p_roles, p_claims: each asker's role and JWT claims.
-- p_values: the rows each asker asks about: for asker 1 an array literal of the first key column's values, then of
--   the second's, and so on; then the same for asker 2.
-- Answers (asker, place in that asker's array), both counted from 1, for what is visible now. Rows that are gone are
-- not visible. As Supabase's apply_rls does, each asker's SELECT goes by primary key, with the asker's role and claims.
create or replace function pg_temp.visible_rows(
  p_table oid, p_key text[], p_key_types text[], p_roles text[], p_claims text[], p_values text[]
)
returns table (asker integer, place integer)
language plpgsql volatile
-- The settings are for a plan that is kept from when the table was small.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
  v_width constant integer := cardinality(p_key);
  v_select text;
  v_statement text;
  v_arguments text;
  v_places integer[];
begin
  select format(
      'as select array_agg(w.place::integer) from rows from (%s) with ordinality w(%s, place) join %s t on %s',
      string_agg(format('unnest($%s::text::%s[])', n, p_key_types[n]), ', ' order by n),
      string_agg(format('k%s', n), ', ' order by n),
      p_table::regclass,
      string_agg(format('t.%I = w.k%s', p_key[n], n), ' and ' order by n)
    ) into v_select
  from generate_series(1, v_width) n;
  v_statement := 'visible_' || md5(v_select);
  if not exists (select from pg_prepared_statements s where s.name = v_statement) then
    execute format(
      'prepare %I (%s) %s', v_statement, (select string_agg('text', ', ') from generate_series(1, v_width)), v_select
    );
  end if;

  for asked in 1 .. cardinality(p_roles) loop
    select string_agg(format('%L', p_values[(asked - 1) * v_width + n]), ', ' order by n) into v_arguments
    from generate_series(1, v_width) n;
    perform set_config('role', p_roles[asked], true), set_config('request.jwt.claims', p_claims[asked], true);
    execute format('execute %I (%s)', v_statement, v_arguments) into v_places;
    perform set_config('role', 'none', true);
    if v_places is not null then
      asker := asked;
      foreach place in array v_places loop
        return next;
      end loop;
    end if;
  end loop;
end
$$;
