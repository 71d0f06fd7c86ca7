"""What each criterion means and each term, in a sentence or two for somebody who has never run a load test.

The report shows these in place; ``docs/what-is-checked.md`` has the same at length, with the limits of each.
"""

# By criterion id: what it means for the people who chat when it holds.
CRITERIA = {
    "latency.send.avg": "How long a person waits, on average, until the app says that their message is sent.",
    "latency.send.p95": "19 of 20 messages are sent at least this fast. The slowest one in twenty is what people remember.",
    "latency.delivery.p95": "How long until a message shows on the other person's screen, for 19 of 20 deliveries.",
    "errors.send": "How many of all attempts to send a message were refused or got no answer.",
    "messages.lost": "Once the app has said that a message is sent, it is in the database, and stays there.",
    "messages.unexpected": "What the app refused, so that its sender would write it again, is not stored all the same.",
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
    "status.invalid": "A message is sent, delivered or read, and nothing else.",
    "status.stuck": "Soon after somebody's device has acknowledged a message, its sender sees it as delivered.",
    "status.regressed": "A message that was read never becomes unread again.",
    "history.pages": "Scrolling back shows each older message once, in order.",
    "access.denied": "People who are not in a chat can neither read it nor write into it, whatever they try.",
    "drift.latency": "The app does not become slower and slower while it runs.",
    "drift.database": "Nothing in the database grows without end while it runs.",
    "plan.history": "Scrolling back stays fast in a large chat, because the query reads an index and not the table.",
    "generator.healthy": "The load generator kept up, so that what was slow was the app.",
    "monitor.complete": "The monitor saw the database all the time, so that nothing happened unseen.",
    "record.complete": "Everything that was seen was written down and could be read again.",
}

# Terms of the report, in the order in which a reader meets them.
GLOSSARY = {
    "Criterion": "A statement about the run that either holds or does not. The verdict is made of these.",
    "Pass, fail, inconclusive": "A run passes when every criterion holds. One fault fails it. What could not be seen well enough "
    "to judge makes it inconclusive, which is no pass.",
    "P95": "The 95th percentile: the smallest measured value that at least 95% of all values do not exceed (nearest rank, "
    "Hyndman and Fan's type 1). It is computed from every value, without rounding or interpolation.",
    "95% interval": "How far the figure may be off because the run was only so long: runs like this one would give intervals that "
    "hold the true figure 95 times in 100. It is a block bootstrap over time, because answers close in time are alike.",
    "Acknowledged": "The app answered that the message is sent. Jepsen's word is ok.",
    "Service time": "From the moment at which a request left to the moment at which its answer was complete.",
    "Response time": "From the moment at which a request was due to the moment at which its answer was complete: what a person waits, "
    "also when a slow server kept the request from leaving in time (coordinated omission).",
    "Closed and open workload": "In a closed workload a user waits for an answer before the next message. In an open one messages come "
    "by a schedule, whatever the server does.",
    "Delivery": "A message that arrived at the Realtime socket of one participant. A message to a group of five is four deliveries, "
    "and one to its author's own devices.",
    "Seq": "The number of a message in its chat, given by the database.",
    "Warm-up": "The beginning of a run, in which caches fill and users arrive; its end is found in the latencies (MSER-5), or set by hand. It is not judged by latency, only by the other criteria.",
    "Checked": "How many things a criterion looked at. One that looked at nothing is inconclusive.",
}
