-- Bytes of write-ahead log written since the server was made.
select 'wal.bytes' as name, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::double precision as value;
