"""What each criterion means and each term, in a sentence or two for somebody who has never run a load test.

The report shows these in place; ``docs/what-is-checked.md`` has the same at length, with the limits of each.
"""

# By criterion id: what it means for the people who chat when it holds.
CRITERIA = {
    "latency.send.avg": "How long a person waits, on average, until the app says that their message is sent.",
    "latency.send.p95": "19 of 20 messages are sent at least this fast. The slowest one in twenty is what people remember.",
    "latency.delivery.p95": "How long after a message left it shows on the other person's screen, for 19 of 20 deliveries.",
    "errors.send": "How many of all attempts to send a message were refused or got no answer.",
    "messages.lost": "Once the app has said that a message is sent, it is in the database, and stays there.",
    "messages.unexpected": "What the app refused, so that its sender would write it again, is not stored all the same, and nobody is said to have written what they did not.",
    "messages.duplicated": "Nobody sees the same message twice, even when it was sent again after a time-out.",
    "messages.corrupted": "Text, sender and chat are stored exactly as they were sent.",
    "idempotency.retries": "Sending a message again under the same client_generated_id gives the same message, not another one.",
    "seq.missing": "Each message has its number in the chat.",
    "seq.gaps": "The numbers of a chat have no holes: a hole makes apps wait for a message that never comes.",
    "seq.duplicates": "No two messages of a chat have the same number.",
    "seq.order": "Who answers gets a higher number than the message that they answer.",
    "realtime.missed": "Each person who was online in a chat got each of its messages, or read it after they came back.",
    "realtime.duplicated": "No message was delivered twice to the same subscription.",
    "realtime.reordered": "Messages of a chat arrived in the order of their numbers.",
    "realtime.phantom": "Nothing was shown that is not stored, and nothing to people who are not in the chat or have left it.",
    "status.invalid": "A new message is sent, and later delivered or read, and nothing else.",
    "status.stuck": "Soon after somebody's device has acknowledged a message, its sender sees it as delivered; soon after they have looked at it, as read.",
    "status.regressed": "A message that was read never becomes unread again.",
    "history.pages": "Scrolling back shows each older message of the chat once, in order, and nothing else.",
    "access.denied": "People who are not in a chat can neither read it nor write into it, and nobody writes in another's name, whatever they try.",
    "drift.latency": "The app does not become slower and slower while it runs. The slope is the median of those between any two moments "
    "(Theil, Sen), and a test of ranks (Mann, Kendall) says whether the rise is more than chance.",
    "drift.database": "Nothing in the database grows without end while it runs.",
    "plan.history": "Scrolling back stays fast in a large chat, because the query reads an index and not the table.",
    "generator.healthy": "The load generator kept up, so that what was slow was the app.",
    "monitor.complete": "The monitor saw the database all the time, so that nothing happened unseen.",
    "record.complete": "Everything that was seen was written down and could be read again.",
}

# By title: what a plot of the server shows, and what to look for in it.
PANELS = {
    "Transactions": "Pieces of work that were committed or rolled back. Many of the latter are errors, in the app or in the database.",
    "Rows written": "Rows inserted, updated and deleted in all tables of the database.",
    "Connections by state": "Sessions of all users of the database: at work, idle, or idle in a transaction, which holds back vacuum. "
    "There is a limit to their number.",
    "Sessions waiting for a lock": "Sessions that stood still because another one held what they needed. A few for a moment are normal.",
    "Oldest transaction": "For how long the oldest transaction had been open: while it is, no dead row can be taken away.",
    "Found in the cache": "Share of the blocks asked for that were in PostgreSQL's own memory, at the lowest. A dip means reading from disk.",
    "Dead rows": "Old versions of rows that were changed or deleted, until vacuum takes them away. What only rises is a vacuum that does not come.",
    "Tables": "Size of the app's tables. It grows with what is stored; beyond that it is room that dead rows took.",
    "Indexes": "Size of all indexes of each table.",
    "Log written": "Write-ahead log: every change is written there first, and it is what Realtime reads.",
    "Log kept for replication slots": "What PostgreSQL must keep because a slot, its bookmark for a reader such as Realtime, stands there. "
    "What only rises fills the disk.",
    "Not yet read by replication slots": "How far a reader of the log, such as Realtime, has fallen behind.",
    "Checkpoints since the start": "How often all changed blocks were written to disk: timed ones by the clock, requested ones because much "
    "was written or somebody asked. Meanwhile answers may be slower.",
    "Autovacuums since the start": "How often PostgreSQL by itself took away dead rows of each table.",
    "Deadlocks since the start": "How often two sessions waited for each other, so that one had to be ended.",
    "Written to temporary files": "Sorts and joins that did not fit into memory.",
    "Event loop: latest beat": "By how much the load process came to its next step too late: something else held it up.",
    "Processor used": "A load process is one thread, so that it can use no more than one core. Near 100% it is at its end.",
    "Waited for the processor": "For how long it could have gone on but others had the core, or its own quota was used up.",
    "Garbage collection": "For how long Python looked for memory to free; meanwhile everything stands still.",
    "Departures: latest": "How late actions left after they were due, and for how long one waited for its place among those under way.",
    "Actions under way": "Sends and marks that had left and were not answered yet. There is a limit to their number.",
    "Could not leave in time, since the start": "Actions that found no place when they were due, and those that never left.",
}

# By criterion id: what "checked" counts, where that is not what "observed" counts.
CHECKED = {
    "latency.send.avg": "sends",
    "latency.send.p95": "sends",
    "latency.delivery.p95": "deliveries",
    "errors.send": "sends",
    "plan.history": "samples",
    "generator.healthy": "seconds",
}

# Terms of the report, in the order in which a reader meets them.
GLOSSARY = {
    "Criterion": "A statement about the run that either holds or does not. The verdict is made of these.",
    "Pass, fail, inconclusive": "A run passes when every criterion holds. One fault fails it. What could not be seen well enough "
    "to judge makes it inconclusive, which is no pass.",
    "P95": "The 95th percentile: the smallest measured value that at least 95% of all values do not exceed (nearest rank, "
    "Hyndman and Fan's type 1). It is computed from every value, without rounding or interpolation.",
    "95% interval": "How far the figure may be off because the run was only so long: runs like this one would give intervals that "
    "hold the true figure 95 times in 100. It is a block bootstrap over time, because answers close in time are alike. In less than fifty "
    "minutes the slower waves do not show: such an interval is at least so wide.",
    "Acknowledged": "The app answered that the message is sent. Jepsen's word is ok.",
    "Service time": "From the moment at which a request left, or began to connect, to the moment at which its answer was complete.",
    "Response time": "From the moment at which a request was due to the moment at which its answer was complete: what a person waits, "
    "also when a slow server kept the request from leaving in time (coordinated omission).",
    "Closed and open workload": "In a closed workload a user waits for an answer before the next message. In an open one messages come "
    "by a schedule, whatever the server does.",
    "Delivery": "A message that arrived at the Realtime socket of one participant. A message to a group of five is four deliveries, "
    "and one to its author's own devices.",
    "Seq": "The number of a message in its chat, given by the database.",
    "Warm-up": "The beginning of a run, in which caches fill and users arrive; its end is found in the latencies (MSER-5), or set by hand. It is not judged by latency, only by the other criteria.",
    "Step": "A moment from which on the P95 stands at another level for good, found by change-point detection in windows of the run. "
    "p is how likely a run without a step shows one as clear. What lies near is what happened within 15 s, or in a run of more than half an hour within the length of a window, up to a minute or more: the table says which. Whether it was the cause is not said.",
    "Drift": "A rise over a soak that goes on: the slope is Theil's and Sen's (the median of the slopes between any two moments, which "
    "outliers do not move), and Mann's and Kendall's test says whether it is more than chance.",
    "Look": "The monitor looks at the database about once a second, and reads what is new or changed since the last look.",
    "Realtime": "The part of Supabase that tells every subscribed socket of each new or changed row.",
    "Replication slot": "PostgreSQL's bookmark in its log for somebody who reads it, such as Realtime. What a slot has not read yet is kept.",
    "Dead row": "An old version of a row that was changed or deleted. Vacuum takes it away; until then it takes room and time.",
    "Checkpoint": "PostgreSQL writes all changed blocks to disk, so that older parts of its log may go. Meanwhile it may answer more slowly.",
    "Checked": "How many things a criterion looked at. One that looked at nothing is inconclusive.",
}
