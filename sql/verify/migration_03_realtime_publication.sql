-- Is migration 03 in place? One row for each thing checked: what, whether it is so, and what was found.
-- One read-only statement. Any psql, SQL editor or program can run it; the migrations need not have run.

with table_wanted (name) as (
  values ('chats'), ('chat_participants'), ('chat_messages'), ('message_reactions'), ('attachments')
), publication as (
  select oid, puballtables, pubinsert, pubupdate, pubdelete from pg_publication where pubname = 'supabase_realtime'
), checks (place, "check", ok, detail) as (
  select 1, 'publication supabase_realtime', p.pubinsert and p.pubupdate and p.pubdelete,
    case
      when p.oid is null then 'missing'
      else 'publishes: ' || coalesce(nullif(concat_ws(', ',
        case when p.pubinsert then 'insert' end,
        case when p.pubupdate then 'update' end,
        case when p.pubdelete then 'delete' end), ''), 'nothing')
    end
  from (values (1)) one left join publication p on true
  union all
  select 2, 'replica identity full of ' || w.name, c.relreplident = 'f',
    case c.relreplident
      when 'f' then 'full' when 'd' then 'default' when 'n' then 'nothing' when 'i' then 'an index'
      else 'no such table'
    end
  from table_wanted w left join pg_class c on c.oid = to_regclass('public.' || w.name)
  union all
  select 3, 'published: ' || w.name,
    coalesce(p.puballtables, false) or (r.oid is not null and r.prqual is null and r.prattrs is null),
    case
      when p.puballtables then 'with all tables'
      when r.oid is null then 'not in the publication'
      when r.prqual is not null then 'only rows where ' || pg_get_expr(r.prqual, r.prrelid)
      when r.prattrs is not null then 'only some of its columns'
      else 'whole'
    end
  from table_wanted w
  left join publication p on true
  left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = to_regclass('public.' || w.name)
)
select "check", coalesce(ok, false) as ok, detail from checks order by place, "check";
