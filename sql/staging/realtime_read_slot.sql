-- The next changes from slot $1, at most $2 of them (a transaction is never cut), of publication $3.
select data, xid
from pg_logical_slot_get_binary_changes($1, null, $2, 'proto_version', '1', 'publication_names', $3)
