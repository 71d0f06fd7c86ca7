"""Promise: `messages.corrupted` holds each row against what its message was sent with, and a copy against nothing but that."""

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa

from analysis.checks import audit
from analysis.checks.account import account_for
from analysis.checks.corruption import corrupted
from analysis.criteria import Verdict
from analysis.evidence import assemble
from analysis.record.codes import ObservedChange
from tests.analysis.checks.judging import failed, judged, why
from tests.analysis.histories import History
from tests.analysis.in_memory import InMemory


def test_an_app_that_keeps_no_key_though_it_was_given_one_is_found() -> None:
    run = History()
    chat = run.chat(0, 1)
    messages = [run.send(0, chat, 1.0 + place, seq=place + 1) for place in range(2)]
    for message in messages:
        run.store(message, keyed=False)
    run.finish()
    assert failed(run) == {"messages.corrupted": [str(message.id) for message in messages]}
    said = judged(run)["messages.corrupted"].examples[0].why
    assert said == (f"It was sent with client_generated_id {messages[0].client_id}, and is stored with none.")


def test_an_app_that_takes_no_key_needs_to_keep_none() -> None:
    run = History()
    message = run.send(0, run.chat(0, 1), 1.0, seq=1)
    place = run.rows["sends"][0].index(message.client_id.bytes)
    (sent,) = run.rows["sends"]
    run.rows["sends"] = [(*sent[:place], None, *sent[place + 1 :])]
    run.store(message, keyed=False)
    run.finish()
    assert failed(run) == {}


def test_beside_a_copy_the_row_that_was_answered_is_still_held_against_its_answer() -> None:
    run = History()
    message = run.send(0, run.chat(0, 1), 1.0, seq=1)
    run.store(message, seq=1)
    copy = run.new_id()
    run.poll(3)
    run.observe(message, 3, seq=2, change=ObservedChange.CHANGED)
    run.observe(message, 3, id=copy, seq=3, keyed=False)
    run.finish()
    assert failed(run)["messages.corrupted"] == [str(message.id)]
    assert "The answer gave it seq 1, and seq 2 is stored." in why(run, "messages.corrupted")


class Counting(InMemory):
    """Counts how often each table is read."""

    def __init__(self, run: History, name: str) -> None:
        super().__init__(run.rows, name)
        self.read: Counter[str] = Counter()

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        self.read[table] += 1
        return super().batches(table)


def test_however_many_texts_are_quoted_they_are_read_at_once() -> None:
    run = History()
    chat = run.chat(0, 1)
    for place in range(20):
        run.store(run.send(0, chat, 1.0 + place, seq=place + 1), text=f"another {place}")
    run.finish()
    load, monitor = Counting(run, run.process), Counting(run, "monitor")
    account = account_for(assemble(run.run(), {run.process: load}, monitor))
    before = load.read["sends"], monitor.read["observations"]
    found = corrupted(account)
    assert [finding.why for finding in found.examples] == [
        f"The text 'message {place}' is stored as 'another {place}'." for place in range(20)
    ]
    assert (load.read["sends"], monitor.read["observations"]) == (before[0] + 1, before[1] + 1)


def test_a_message_that_is_moved_to_another_chat_later_was_owed_to_nobody_there() -> None:
    run = History(people=3)
    first, second = run.chat(0, 1), run.chat(0, 2)
    moved, there = run.send(0, first, 1.0, seq=1), run.send(0, second, 2.0, seq=1)
    for message in (moved, there):
        run.store(message)
        run.deliver(message)
    run.poll(20)
    run.observe(moved, 20, change=ObservedChange.CHANGED, chat=second, seq=2)
    run.finish()
    criteria = audit(run.evidence(), delivered_within_s=5).criteria
    assert [one.id for one in criteria if one.outcome is Verdict.FAIL] == ["messages.corrupted"]
    (missed,) = (one for one in criteria if one.id == "realtime.missed")
    assert missed.checked == 4
