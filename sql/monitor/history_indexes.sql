-- The indexes of chat_messages: what each begins with, and whether the server may use it for queries.
select c.relname::text as name, pg_get_indexdef(i.indexrelid) as definition,
  concat_ws(', ', pg_get_indexdef(i.indexrelid, 1, true) || case when i.indoption[0] & 1 = 1 then ' DESC' else '' end,
    nullif(pg_get_indexdef(i.indexrelid, 2, true), '') || case when i.indoption[1] & 1 = 1 then ' DESC' else '' end
  ) as leads,
  i.indisvalid and i.indisready as usable
from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indrelid = 'public.chat_messages'::regclass
order by 1;
