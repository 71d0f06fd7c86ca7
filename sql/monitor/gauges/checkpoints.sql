-- Checkpoints so far (PostgreSQL 17 and later; before, this view does not exist and the gauge is left out).
select 'checkpoints' as name, (num_timed + num_requested)::double precision as value from pg_stat_checkpointer;
