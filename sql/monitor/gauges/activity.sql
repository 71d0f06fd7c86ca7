-- Connections by what they do, and the age of the oldest transaction.
select 'connections.' || replace(coalesce(state, 'other'), ' ', '_') as name, count(*)::double precision as value
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() group by 1
union all
select 'transactions.oldest_s', coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::double precision
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
