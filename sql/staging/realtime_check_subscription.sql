-- Whether a role may subscribe to changes of a table: what Supabase Realtime checks when it stores a subscription.
-- Run once a connection; the function lives in pg_temp, so that the database keeps nothing of it.
--
-- Answers one row for each table of the publication that the parameters name ('*' names all), with the values of
-- the filters as their types' output functions write them (what replication sends, too): an array for `in`, a text otherwise. No row: nothing to subscribe to.
-- Raises, in Supabase's words, what it would refuse.
create or replace function pg_temp.check_subscription(
  p_publication text, p_schema text, p_table text, p_role text,
  p_columns text[], p_operators text[], p_values text[], p_selected text[]
)
returns table (relation oid, filter_types text[], operands jsonb)
language plpgsql stable
as $$
declare
  readable text[];
  type_oid oid;
  type_name text;
  operand text;
  several text[];
  asked text;
begin
  for relation in
    select c.oid
    from pg_publication_tables p
    join pg_namespace n on n.nspname = p.schemaname
    join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
    where p.pubname = p_publication
      and p_schema in ('*', p.schemaname)
      and p_table in ('*', p.tablename)
  loop
    readable := array(
      select a.attname from pg_attribute a
      where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
        and has_column_privilege(p_role, a.attrelid, a.attnum, 'SELECT')
    );
    filter_types := '{}';
    operands := '[]';

    for i in 1 .. coalesce(array_length(p_columns, 1), 0) loop
      if p_columns[i] <> all (readable) then
        raise exception 'invalid column for filter %', p_columns[i];
      end if;
      select t.oid, t.typname into type_oid, type_name
      from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid = relation and a.attname = p_columns[i];
      filter_types := filter_types || type_name;

      if p_operators[i] = 'in' then
        execute format('select array(select format(''%%s'', x) from unnest(%L::%s[]) x)', p_values[i], type_oid::regtype)
        into several;
        if cardinality(several) > 100 then
          raise exception 'too many values for `in` filter. Maximum 100';
        end if;
        operands := operands || jsonb_build_array(to_jsonb(several));
      elsif p_operators[i] = 'is' then
        if p_values[i] not in ('null', 'true', 'false', 'unknown') then
          raise exception 'invalid value for is filter: must be null, true, false, or unknown';
        end if;
        if p_values[i] <> 'null' and type_oid <> 'boolean'::regtype then
          raise exception 'is % filter requires a boolean column, got %', p_values[i], type_oid::regtype;
        end if;
        operands := operands || jsonb_build_array(p_values[i]);
      elsif p_operators[i] in ('like', 'ilike') then
        if not exists (select from pg_operator where oprname = '~~' and oprleft = type_oid) then
          raise exception 'operator % requires a text-compatible column type, got %',
            p_operators[i], type_oid::regtype;
        end if;
        operands := operands || jsonb_build_array(p_values[i]);
      else
        execute format('select format(''%%s'', %L::%s)', p_values[i], type_oid::regtype) into operand;
        operands := operands || jsonb_build_array(operand);
      end if;
    end loop;

    foreach asked in array coalesce(p_selected, '{}') loop
      if asked <> all (readable) then
        raise exception 'invalid column for select %', asked;
      end if;
    end loop;

    return next;
  end loop;
end
$$;
