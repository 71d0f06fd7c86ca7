-- How the history query is explained: with the planner as it is set up for everybody, and not for long.
set local statement_timeout = '5s';
set local enable_seqscan to default;
set local jit to default;
