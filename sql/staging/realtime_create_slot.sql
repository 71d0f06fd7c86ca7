-- A slot that goes with its connection.
select slot_name::text from pg_create_logical_replication_slot($1, 'pgoutput', true)
