-- Connections of clients to this database by what they do, each state with its count, and the longest that one has been
-- in a transaction. Without pg_read_all_stats what others do is hidden; they count as "hidden" then.
with client as (
  select coalesce(state, 'hidden') as state, xact_start
  from pg_stat_activity
  where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend'
    and pid <> pg_backend_pid()
)
select 'connections.' || replace(known.state, ' ', '_') as name, count(client.state)::double precision as value
from (values ('active'), ('idle'), ('idle in transaction'), ('idle in transaction (aborted)'),
  ('fastpath function call'), ('starting'), ('disabled'), ('hidden')) as known (state)
left join client using (state)
group by known.state
union all
select 'transactions.oldest_s', coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::double precision
from client;
