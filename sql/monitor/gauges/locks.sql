-- Sessions that wait for a lock now.
select 'locks.waiting' as name, count(*)::double precision as value from pg_locks where not granted;
