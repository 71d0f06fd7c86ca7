-- Connections of clients over all databases of the server, and how many it takes. Without
-- pg_read_all_stats a backend's kind is hidden; with a database it is as good as always a client's.
select 'connections.used' as name, count(*)::double precision as value
from pg_stat_activity
where backend_type in ('client backend', 'walsender') or (backend_type is null and datid is not null)
union all
select 'connections.most', current_setting('max_connections')::double precision;
