"""The tables of a run record: the contract between the load, the monitor and the analysis.

Every table is a file in Arrow's IPC *stream* format: a schema, then record batches, appended at least
once a second, then an end-of-stream mark. A file without that mark belongs to a process that was killed;
all batches before the cut stay readable.
Source: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format

Layout of a run::

    reports/<run-id>/
      run.json
      record/<process>/process.json      who wrote this, its clocks (see ProcessInfo)
      record/<process>/<table>.arrows    LOAD_TABLES
      database/process.json
      database/<table>.arrows            DATABASE_TABLES
      database/findings.jsonl            what the monitor saw, as it saw it
      database/2/                        the same of the monitor that took over from one that was killed, if there was one

Conventions: ids are UUIDs as 16 bytes (null: absent or no UUID); ``*_ns`` is CLOCK_MONOTONIC of the writing
host in nanoseconds, comparable between processes of one host and boot (``ProcessInfo.clock_domain``), and with
the error that table ``clocks`` tells of between two others;
``*_us`` is microseconds since the Unix epoch by the *database's* clock; -1 stands for "never" in ``*_ns``;
the columns of numbers that a comment gives a name of `analysis.record.codes` hold its values.
"""

import pyarrow as pa

UUID = pa.binary(16)

SENDS = pa.schema(
    [
        ("user_id", UUID),
        ("chat_id", UUID),
        ("client_generated_id", UUID),
        ("attempt", pa.int16()),  # 0 = first; 1, 2, … = repeats with the same client_generated_id
        ("due_ns", pa.int64()),  # when the schedule wanted it to leave
        ("left_ns", pa.int64()),  # when it began to leave: before a connection was made, if none stood
        ("answered_ns", pa.int64()),  # when its answer had come in, complete (info: when we gave up)
        ("outcome", pa.int8()),  # Outcome
        ("status_code", pa.int16()),  # HTTP; 0 = no answer
        ("message_id", UUID),  # as answered
        ("seq", pa.int64()),  # as answered; null when the answer has none
        ("text", pa.string()),
        ("error", pa.string()),  # null when ok
    ]
)

EVENTS = pa.schema(
    [
        ("user_id", UUID),  # the receiver
        ("socket", pa.int32()),  # number of the socket within this process
        ("chat_id", UUID),  # of the row
        ("message_id", UUID),
        ("sender_id", UUID),
        ("seq", pa.int64()),
        ("type", pa.int8()),  # EventType
        ("status", pa.int8()),  # Status
        ("text_crc32", pa.uint32()),  # zlib.crc32 of message_text in UTF-8
        ("committed_us", pa.int64()),  # commit_timestamp, which Supabase gives in whole ms
        ("received_ns", pa.int64()),  # when what was read with it had come in; see ProcessInfo.arrivals
    ]
)

SOCKETS = pa.schema(
    [
        ("user_id", UUID),
        ("socket", pa.int32()),
        ("chat_id", UUID),  # null for steps of the whole socket
        ("event", pa.int8()),  # SocketEvent
        ("at_ns", pa.int64()),
        (
            "seq",
            pa.int64(),
        ),  # CAUGHT_UP; FINISHED: up to it the user waited for events; DRAINING: as answered, 0: there is none, null: no answer
        ("detail", pa.string()),
    ]
)

MARKS = pa.schema(
    [
        ("user_id", UUID),
        ("chat_id", UUID),
        ("kind", pa.int8()),  # MarkKind
        ("left_ns", pa.int64()),
        ("answered_ns", pa.int64()),
        ("outcome", pa.int8()),
        ("status_code", pa.int16()),
        ("updated_count", pa.int64()),
        ("up_to_seq", pa.int64()),  # newest seq of the chat this user knew when the call left
    ]
)

PAGES = pa.schema(
    [
        ("user_id", UUID),
        ("chat_id", UUID),
        ("walk", pa.int64()),  # pages of one walk through a history share a number within the process
        ("purpose", pa.int8()),  # PagePurpose
        ("before_seq", pa.int64()),  # keyset bound, exclusive; null = from the newest
        ("page_limit", pa.int32()),
        ("left_ns", pa.int64()),
        ("answered_ns", pa.int64()),
        ("outcome", pa.int8()),
        ("status_code", pa.int16()),
        ("seqs", pa.list_(pa.int64())),  # in the order answered
        ("message_ids", pa.list_(UUID)),
        ("sender_ids", pa.list_(UUID)),  # of the same messages; null where the answer does not name them
        ("text_crc32s", pa.list_(pa.uint32())),  # of their texts, as in `EVENTS`; null: it has none
        ("statuses", pa.list_(pa.int8())),  # Status of each; null: the answer tells none
    ]
)

CALLS = pa.schema(  # every other HTTP call: sign-in, refresh, …
    [
        ("user_id", UUID),
        ("name", pa.string()),  # as in Locust's statistics
        ("left_ns", pa.int64()),
        ("answered_ns", pa.int64()),
        ("outcome", pa.int8()),
        ("status_code", pa.int16()),
        ("error", pa.string()),
    ]
)

ATTEMPTS = pa.schema(  # what should have been refused
    [
        ("user_id", UUID),
        ("chat_id", UUID),
        ("kind", pa.int8()),  # AttemptKind
        ("guise", pa.int8()),  # Guise
        ("way", pa.int8()),  # Way
        ("left_ns", pa.int64()),  # a subscription: when the server confirmed it
        ("answered_ns", pa.int64()),  # a subscription: when it was left
        ("outcome", pa.int8()),  # Outcome of the request: whether access was granted is for the judge to say
        ("status_code", pa.int16()),
        (
            "got",
            pa.int64(),
        ),  # messages or events seen, rows marked, the number told; null: nothing of the kind
        ("message_id", UUID),  # SEND: as answered; READ, SUBSCRIBE: the first that came
        ("client_generated_id", UUID),  # SEND
        ("text", pa.string()),  # SEND
        ("error", pa.string()),
    ]
)

GENERATOR = pa.schema(  # the load process on itself, once a second
    [
        ("at_ns", pa.int64()),
        ("wall_us", pa.int64()),  # the host's wall clock at the same moment
        ("users", pa.int32()),
        ("cpu_share", pa.float32()),  # of one core
        ("rss_bytes", pa.int64()),
        ("loop_lag_ms", pa.float32()),  # worst lateness of a timer in this second
        ("buffered_rows", pa.int64()),
        ("cpu_allowed", pa.float32()),  # processors that it may use, by affinity and cgroup quota
        (
            "run_delay_ms",
            pa.float32(),
        ),  # ready to run, and waited for a processor; null: the system does not tell
        ("throttled_ms", pa.float32()),  # its cgroup had used up its quota; null as above
        ("steal_share", pa.float32()),  # of the machine's processor time, given to others by its hypervisor
        ("gc_ms", pa.float32()),  # in garbage collection
        ("gc_longest_ms", pa.float32()),
        ("late_ms", pa.float32()),  # open workload: worst lateness of an action, waits for a slot left out
        ("in_flight", pa.int32()),  # open workload: actions under way
        ("slot_wait_ms", pa.float32()),  # open workload: longest wait of an action for a slot
        (
            "overflow",
            pa.int64(),
        ),  # since the begin: actions that could not leave when due, for want of a slot
        ("never_left", pa.int64()),  # since the begin: actions that were due, and had not begun at the stop
    ]
)

STALLS = pa.schema(  # when a load process's event loop stood still: the time between two beats, the second one late
    [
        ("begin_ns", pa.int64()),
        ("end_ns", pa.int64()),
        ("cpu_ms", pa.float32()),  # processor time that the process used meanwhile
    ]
)

SLOTS_TAKEN = (
    pa.schema(  # open workload: times in which some action waited because all slots of its process were taken
        [
            ("begin_ns", pa.int64()),
            ("end_ns", pa.int64()),
        ]
    )
)

CLOCKS = pa.schema(  # a load process on another machine than the run's leader: how far apart their clocks are
    [
        ("at_ns", pa.int64()),  # by its own clock
        ("offset_ns", pa.int64()),  # the leader's clock minus its own at that moment,
        ("error_ns", pa.int64()),  # known to so much: half of the round trip that measured it
        ("leader", pa.string()),  # ProcessInfo.clock_domain of the leader, where the monitor runs, too
    ]
)

LOAD_TABLES: dict[str, pa.Schema] = {
    "sends": SENDS,
    "events": EVENTS,
    "sockets": SOCKETS,
    "marks": MARKS,
    "pages": PAGES,
    "calls": CALLS,
    "attempts": ATTEMPTS,
    "generator": GENERATOR,
    "clocks": CLOCKS,
    "stalls": STALLS,
    "slots_taken": SLOTS_TAKEN,
}

# A poll looks again at up to this many rows whose status may still move, those first that waited longest.
UNSETTLED_A_POLL = 5000

OBSERVATIONS = pa.schema(  # append-only: a row's last observation is its final state
    [
        ("poll", pa.int32()),
        ("change", pa.int8()),  # ObservedChange
        ("at_ns", pa.int64()),
        ("message_id", UUID),
        ("chat_id", UUID),
        ("seq", pa.int64()),
        ("sender_id", UUID),
        ("client_generated_id", UUID),
        ("status", pa.int8()),  # Status
        ("status_text", pa.string()),  # only when status is OTHER
        ("text", pa.string()),
        ("created_us", pa.int64()),
        ("deleted", pa.bool_()),  # deleted_at is set (soft delete)
    ]
)

POLLS = pa.schema(
    [
        ("poll", pa.int32()),
        ("kind", pa.int8()),  # PollKind
        ("at_ns", pa.int64()),  # when the snapshot's answer was there: it was taken by then
        ("duration_ms", pa.float64()),
        ("database_us", pa.int64()),  # the database's clock at the snapshot
        ("xmin", pa.int64()),  # oldest transaction still running then (pg_current_snapshot)
        ("next_xid", pa.int64()),  # every transaction that had an id then has a smaller one; 64 bits, as xmin
        (
            "server_us",
            pa.int64(),
        ),  # since when that server was there: its start, or the end of its last crash
        ("rows_new", pa.int32()),
        ("rows_changed", pa.int32()),
        ("rows_gone", pa.int32()),
        ("error", pa.string()),
        ("asked_ns", pa.int64()),  # when the snapshot was asked for: it was not taken earlier
    ]
)

BASELINE = pa.schema(  # each chat of the run as it was before the first send
    [
        ("chat_id", UUID),
        ("seq", pa.int64()),  # newest seq, 0 for an empty chat
        ("rows", pa.int64()),
    ]
)

MEMBERSHIPS = (
    pa.schema(  # who was in the run's chats before the first send, and each change that a look found
        [
            ("at_ns", pa.int64()),  # when the snapshot was taken
            ("chat_id", UUID),
            ("user_id", UUID),  # anybody, also who is no user of the run
            ("there", pa.bool_()),  # false: was there at an earlier look
        ]
    )
)

UNCHANGED_S = 60.0  # a gauge that stands still is written down this often

GAUGES = pa.schema(  # server telemetry, one row a value that has changed since its last row
    [
        ("at_ns", pa.int64()),
        ("name", pa.string()),  # e.g. connections.active, locks.waiting, table.chat_messages.bytes
        ("value", pa.float64()),
    ]
)

WAITS = (
    pa.schema(  # who waits for whom: a row for each session that waits for a lock, and each that it waits for
        [
            ("at_ns", pa.int64()),
            ("waiting_pid", pa.int32()),
            ("blocking_pid", pa.int32()),
            ("waited_ms", pa.float64()),  # until now
            ("lock", pa.string()),  # kind and mode, e.g. "transactionid ShareLock"
            ("relation", pa.string()),  # null: the lock is not one of a table
            ("waiting_application", pa.string()),
            ("waiting_statement", pa.string()),  # without its literals; null: we may not see it
            ("blocking_application", pa.string()),
            ("blocking_state", pa.string()),  # e.g. "idle in transaction"
            ("blocking_statement", pa.string()),
        ]
    )
)

STATEMENTS = pa.schema(  # counters of pg_stat_statements, at the first look and at the last
    [
        ("at_ns", pa.int64()),
        ("key", pa.string()),  # of a statement: user, query id, whether it was called from within a function
        ("query", pa.string()),  # normalised by the server; at the last look only, of those that were called
        ("calls", pa.int64()),
        ("total_ms", pa.float64()),
        ("rows", pa.int64()),
        ("blocks_hit", pa.int64()),
        ("blocks_read", pa.int64()),
        ("wal_bytes", pa.float64()),
        ("reset_us", pa.int64()),  # when the counters were last reset
    ]
)

INDEXES = pa.schema(  # the indexes of chat_messages, after the last look at the rows
    [
        ("at_ns", pa.int64()),
        ("name", pa.string()),
        ("definition", pa.string()),
        ("leads", pa.string()),  # its first two columns, e.g. "chat_id, seq DESC"
        ("usable", pa.bool_()),  # valid and ready
    ]
)

PLANS = pa.schema(  # how the history query ran, after the last look at the rows
    [
        ("at_ns", pa.int64()),
        ("chat_id", UUID),
        ("before_seq", pa.int64()),  # the keyset bound of this sample
        ("forced", pa.bool_()),  # ways that need no index were forbidden to the planner
        ("execution_ms", pa.float64()),  # null: it failed, or was only planned
        ("rows", pa.int64()),  # of the page
        ("rows_read", pa.int64()),  # of chat_messages, for that page
        ("node", pa.string()),  # how chat_messages is read, e.g. "Index Scan Backward"
        ("index", pa.string()),
        ("sorted", pa.bool_()),  # the rows had to be sorted
        ("plan", pa.string()),  # as EXPLAIN gave it, JSON
        ("error", pa.string()),
    ]
)

LEFT_OUT = pa.schema(  # what the monitor could not read of the server
    [
        ("at_ns", pa.int64()),
        ("part", pa.string()),  # e.g. checkpoints, statements, history plan
        ("why", pa.string()),
        ("for_good", pa.bool_()),  # it was not tried again
    ]
)
# Columns that earlier versions did not write: in their records they are read as null.
ADDED_LATER = {
    "pages": ("sender_ids", "text_crc32s", "statuses"),
    "polls": ("next_xid", "server_us", "asked_ns"),
    "generator": (
        *("cpu_allowed", "run_delay_ms", "throttled_ms", "steal_share", "gc_ms", "gc_longest_ms"),
        *("late_ms", "in_flight", "slot_wait_ms", "overflow", "never_left"),
    ),
}

DATABASE_TABLES: dict[str, pa.Schema] = {
    "baseline": BASELINE,
    "memberships": MEMBERSHIPS,
    "observations": OBSERVATIONS,
    "polls": POLLS,
    "gauges": GAUGES,
    "waits": WAITS,
    "statements": STATEMENTS,
    "indexes": INDEXES,
    "plans": PLANS,
    "left_out": LEFT_OUT,
}
