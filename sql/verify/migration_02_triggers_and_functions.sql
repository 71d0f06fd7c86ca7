-- Is migration 02 in place? One row for each thing checked: what, whether it is so, and what was found.
-- One read-only statement. Any psql, SQL editor or program can run it; the migrations need not have run.

with function_wanted (signature, result, is_definer, for_clients) as (
  values
    ('assign_message_seq()', 'trigger', true, false),
    ('assert_may_act(uuid,uuid)', 'void', false, false),
    ('mark_messages_as_read(uuid,uuid)', 'TABLE(updated_count bigint)', true, true),
    ('mark_messages_as_delivered(uuid,uuid)', 'TABLE(updated_count bigint)', true, true),
    ('get_unread_count(uuid,uuid)', 'bigint', true, true),
    ('get_latest_seq(uuid)', 'bigint', true, true)
), function_found as (
  select w.*, p.oid, p.prosecdef, pg_get_function_result(p.oid) as result_found,
    exists (select from unnest(p.proconfig) setting where setting in ('search_path=""', 'search_path=')) as is_pinned,
    has_function_privilege('anon', p.oid, 'EXECUTE') as anon_may,
    has_function_privilege('authenticated', p.oid, 'EXECUTE') as authenticated_may,
    has_function_privilege('service_role', p.oid, 'EXECUTE') as service_role_may
  from function_wanted w left join pg_proc p on p.oid = to_regprocedure('public.' || w.signature)
), checks (place, "check", ok, detail) as (
  select 1, 'function ' || signature, result_found = result and prosecdef = is_definer,
    case
      when oid is null then 'missing'
      else 'returns ' || result_found || case when prosecdef then ', security definer' else '' end
    end
  from function_found
  union all
  select 2, 'search_path pinned in ' || signature, is_pinned,
    case when oid is null then 'missing' when is_pinned then 'pinned' else 'not pinned' end
  from function_found
  union all
  select 3, 'privileges of ' || signature,
    not anon_may and authenticated_may = for_clients and service_role_may = for_clients,
    case
      when oid is null then 'missing'
      else 'may execute: ' || coalesce(nullif(concat_ws(', ',
        case when anon_may then 'anon' end,
        case when authenticated_may then 'authenticated' end,
        case when service_role_may then 'service_role' end), ''), 'none of the API''s roles')
    end
  from function_found
  union all
  select 4, 'trigger trg_assign_seq',
    t.tgenabled in ('O', 'A') and t.tgfoid = to_regprocedure('public.assign_message_seq()')
      and pg_get_triggerdef(t.oid) ~ 'BEFORE INSERT ON .* FOR EACH ROW',
    case
      when t.oid is null then 'missing'
      when t.tgenabled not in ('O', 'A') then 'disabled'
      else pg_get_triggerdef(t.oid)
    end
  from (values ('trg_assign_seq')) w (name)
  left join pg_trigger t on t.tgrelid = to_regclass('public.chat_messages') and t.tgname = w.name
  union all
  -- An unqualified "seq" means the table's column where there is one, and that of "absent" otherwise: so the
  -- statement is valid before the migrations, and counts every message then.
  select 5, 'every message has a seq', n.missing = 0, n.missing || ' messages without seq'
  from (values (null::bigint)) absent (seq)
  cross join lateral (select count(*) as missing from public.chat_messages where seq is null) n
)
select "check", coalesce(ok, false) as ok, detail from checks order by place, "check";
