-- How the monitor's session is set up: it can change nothing, waits for nobody for long, and reads by index.
-- As statements, because a pooler refuses most settings at the start of a connection.
set application_name = 'chatsoak-monitor';
set default_transaction_read_only = on;
set statement_timeout = '60s';
set lock_timeout = '5s';
set idle_in_transaction_session_timeout = '60s';
set timezone = 'UTC';
-- Plans are made, and kept, when the tables are small or not analysed yet; a poll must not read the whole table
-- once they are large. With jit on, the cost that a forbidden plan is given would set off the compiler.
set enable_seqscan = off;
set jit = off;
