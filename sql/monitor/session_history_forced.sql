-- Forbids the planner every way that needs no index in the order of the page: does an index serve it at all?
set local enable_seqscan = off;
set local enable_bitmapscan = off;
set local enable_sort = off;
set local enable_incremental_sort = off;
-- After some executions a general plan is kept, which was made without these settings: plan anew.
set local plan_cache_mode = force_custom_plan;
