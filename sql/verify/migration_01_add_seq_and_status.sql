-- Is migration 01 in place? One row for each thing checked: what, whether it is so, and what was found.
-- One read-only statement. Any psql, SQL editor or program can run it; the migrations need not have run.

with column_found as (
  select attname::text as name, format_type(atttypid, atttypmod) as type,
    pg_get_expr(adbin, adrelid) as default_value
  from pg_attribute
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attrelid = to_regclass('public.chat_messages') and attnum > 0 and not attisdropped
), column_wanted (name, type, default_value) as (
  values ('seq', 'bigint', null), ('client_generated_id', 'uuid', null), ('status', 'text', '''sent''::text')
), index_wanted (name, is_unique, columns) as (
  values
    ('uq_chat_messages_chat_id_seq', true, 'public.chat_messages (chat_id, seq)'),
    ('uq_chat_messages_client_generated', true, 'public.chat_messages (sender_id, client_generated_id)'),
    ('idx_chat_messages_chat_id_seq_desc', false, 'public.chat_messages (chat_id, seq DESC)'),
    ('idx_chat_messages_status', false, 'public.chat_messages (chat_id, status)'),
    ('idx_chat_participants_last_read', false, 'public.chat_participants (chat_id, last_read_at)'),
    ('idx_chat_messages_seq_pending', false,
     'public.chat_messages (chat_id, COALESCE(created_at, ''-infinity''::timestamp with time zone), id) WHERE (seq IS NULL)')
), index_found as (
  select c.relname::text as name, i.indisunique as is_unique, i.indisvalid as is_valid,
    regexp_replace(pg_get_indexdef(i.indexrelid), '^.* ON (?:public\.)?(\S+) USING btree ', 'public.\1 ') as columns
  from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = 'public'::regnamespace
), trigger_wanted (name) as (
  values ('trg_00_ignore_server_columns'), ('trg_00_protect_server_columns')
), checks (place, "check", ok, detail) as (
  select 1, 'column chat_messages.' || w.name, f.type = w.type and f.default_value is not distinct from w.default_value,
    case when f.name is null then 'missing' else f.type || coalesce(' default ' || f.default_value, '') end
  from column_wanted w left join column_found f using (name)
  union all
  select 2, 'constraint chat_messages_status_check', k.convalidated,
    case
      when k.oid is null then 'missing'
      when not k.convalidated then 'there, but not validated'
      else pg_get_constraintdef(k.oid)
    end
  from (values ('chat_messages_status_check')) w (name)
  left join pg_constraint k on k.conrelid = to_regclass('public.chat_messages') and k.conname = w.name and k.contype = 'c'
  union all
  select 3, 'index ' || w.name, f.is_valid and f.is_unique = w.is_unique and f.columns = w.columns,
    case
      when f.name is null then 'missing'
      when not f.is_valid then 'INVALID: a build was cancelled; run migration 01 again'
      else case when f.is_unique then 'unique ' else '' end || f.columns
    end
  from index_wanted w left join index_found f using (name)
  union all
  select 4, 'trigger ' || w.name, t.tgenabled in ('O', 'A'),
    case when t.oid is null then 'missing' when t.tgenabled in ('O', 'A') then 'enabled' else 'disabled' end
  from trigger_wanted w
  left join pg_trigger t on t.tgrelid = to_regclass('public.chat_messages') and t.tgname = w.name
  union all
  select 5, 'table chat_seq_counters, closed to clients',
    c.relrowsecurity and not (
      has_table_privilege('anon', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
      or has_table_privilege('authenticated', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
    ),
    case
      when c.oid is null then 'missing'
      when not c.relrowsecurity then 'row level security is off'
      else 'row level security on; privileges: ' || coalesce(c.relacl::text, 'default')
    end
  from (values ('public.chat_seq_counters')) w (name) left join pg_class c on c.oid = to_regclass(w.name)
  union all
  select 6, 'procedure backfill_message_seq', p.oid is not null,
    case when p.oid is null then 'missing' else 'there' end
  from (values ('public.backfill_message_seq(integer,double precision)')) w (name)
  left join pg_proc p on p.oid = to_regprocedure(w.name)
  union all
  -- An unqualified "seq" means the table's column where there is one, and that of "absent" otherwise: so the
  -- statement is valid before the migration, and counts every message then.
  select 7, 'every message has a seq', n.missing = 0, n.missing || ' messages without seq'
  from (values (null::bigint)) absent (seq)
  cross join lateral (select count(*) as missing from public.chat_messages where seq is null) n
)
select "check", coalesce(ok, false) as ok, detail from checks order by place, "check";
