-- Connections of clients to this database by what they do, and the longest that one has been in a transaction.
-- Without pg_read_all_stats what others do is hidden; they count as "hidden" then.
select 'connections.' || replace(coalesce(state, 'hidden'), ' ', '_') as name, count(*)::double precision as value
from pg_stat_activity
where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend' and pid <> pg_backend_pid()
group by 1
union all
select 'transactions.oldest_s', coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::double precision
from pg_stat_activity
where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend' and pid <> pg_backend_pid();
