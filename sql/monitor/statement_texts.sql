-- The texts, normalised by the server, of statements by their keys as in statements.sql. $1: the keys (text[]).
-- In psql: end with  \bind '{…}' \g  in place of the semicolon.
select userid || '/' || queryid || '/' || toplevel as key, query
from pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
  and userid || '/' || queryid || '/' || toplevel = any ($1::text[]);
