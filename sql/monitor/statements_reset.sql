-- When the counters of statements were last reset, all of them at once (µs since 1970).
select (extract(epoch from stats_reset) * 1000000)::bigint as reset_us from pg_stat_statements_info;
