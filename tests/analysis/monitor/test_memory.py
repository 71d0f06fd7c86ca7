"""Promise: the monitor knows which rows are due, forgets nothing it saw, and stays small."""

import tracemalloc
import uuid
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.monitor.memory import Look, Memory
from analysis.monitor.numbers import PATIENCE_LOOKS
from analysis.monitor.rows import Stored
from analysis.record.codes import ObservedChange

CHAT = uuid.uuid4().bytes
ANN = uuid.uuid4().bytes  # who writes everything, unless it is said otherwise
STRANGER = uuid.uuid4().bytes


def row(seq: int | None, status: str | None = "sent", message_id: bytes | None = None) -> Stored:
    message = message_id or uuid.uuid4().bytes
    return Stored(message, CHAT, seq, ANN, uuid.uuid4().bytes, status, "text", 0, False)


def look(memory: Memory, poll: int, rows: Iterable[Stored], asked: Iterable[bytes] = ()) -> Look:
    seen = Look(poll, poll * 1000)
    memory.take_in(rows, seen)
    memory.miss(asked, seen)
    return seen


def test_a_fresh_message_is_not_kept_waiting_by_those_that_nobody_reads() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    look(memory, 0, [row(seq, "delivered") for seq in range(1, 1001)])
    fresh = row(1001)
    look(memory, 1, [fresh])
    assert fresh.message_id in memory.due(10, 10, 10)


@given(rows=st.integers(1, 60), at_once=st.integers(1, 20))
def test_every_row_has_its_turn(rows: int, at_once: int) -> None:
    for status in ("sent", "delivered", "read"):
        memory = Memory({CHAT: 0}, [ANN])
        stored = [row(seq, status) for seq in range(1, rows + 1)]
        look(memory, 0, stored)
        seen: set[bytes] = set()
        for _ in range(-(-rows // at_once)):
            due = memory.due(at_once, at_once, at_once)
            assert len(due) <= at_once
            seen.update(due)
            memory.looked(due)
        assert seen == {one.message_id for one in stored}


def test_a_look_that_broke_off_gives_no_row_its_turn() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    look(memory, 0, [row(seq) for seq in range(1, 6)])
    assert memory.due(2, 2, 2) == memory.due(2, 2, 2)


@given(st.permutations(range(1, 12)))
def test_the_frontier_never_passes_a_number_that_may_still_come(order: list[int]) -> None:
    memory = Memory({CHAT: 0}, [ANN])
    seen: set[int] = set()
    for poll, seq in enumerate(order):
        look(memory, poll, [row(seq)])
        seen.add(seq)
        contiguous = next(number for number in range(1, 13) if number not in seen) - 1
        assert memory.frontiers == ([CHAT], [contiguous])


def test_a_hole_that_stays_does_not_hold_the_frontier_for_ever() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    look(memory, 0, [row(1), row(3), row(4)])
    for _ in range(PATIENCE_LOOKS + 1):
        assert memory.frontiers[1] == [1]
        memory.looked([])
    assert memory.frontiers[1] == [4]


def test_the_same_row_again_is_no_news() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    one = row(1)
    assert look(memory, 0, [one]).new == 1
    again = look(memory, 1, [one, one])
    assert (again.new, again.changed, again.gone, again.observations) == (0, 0, 0, [])


def test_who_shares_a_seq_is_told_both_ways_and_forgotten_when_it_ends() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    first, second = row(1), row(1)
    found = look(memory, 0, [first, second]).findings
    assert [noticed.finding.message_id for noticed in found] == [str(uuid.UUID(bytes=second.message_id))]
    assert str(uuid.UUID(bytes=first.message_id)) in found[0].finding.why
    look(memory, 1, [second._replace(seq=2)], [])
    assert look(memory, 2, [row(3)]).findings == []
    assert look(memory, 3, [first._replace(deleted=True)]).findings == []


def test_gone_is_only_who_was_asked_for_and_known() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    kept, lost = row(1), row(2)
    look(memory, 0, [kept, lost])
    seen = look(memory, 1, [kept], [kept.message_id, lost.message_id, uuid.uuid4().bytes])
    assert [(one[1], one[3]) for one in seen.observations] == [(ObservedChange.GONE, lost.message_id)]
    assert lost.message_id not in memory
    assert len(memory) == 1


def test_a_status_moves_forward_only() -> None:
    for before, after, back in [
        ("sent", "delivered", False), ("delivered", "read", False), ("sent", "read", False),
        ("read", "sent", True), ("read", "delivered", True), ("delivered", "sent", True), ("sent", None, False),
    ]:  # fmt: skip
        memory = Memory({CHAT: 0}, [ANN])
        one = row(1, before)
        look(memory, 0, [one])
        found = look(memory, 1, [one._replace(status_text=after)]).findings
        assert any("went back" in noticed.finding.why for noticed in found) is back


def told(seen: Look) -> list[str]:
    return [noticed.criterion for noticed in seen.findings]


@pytest.mark.parametrize("status", [None, "seen"])
def test_a_status_that_is_none_is_told_once(status: str | None) -> None:
    memory = Memory({CHAT: 0}, [ANN])
    one = row(1, status)
    assert told(look(memory, 0, [one])) == ["status.invalid"]
    assert told(look(memory, 1, [one._replace(deleted=True)])) == []


def test_a_seq_of_a_message_that_is_gone_is_handed_out_again() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    first, second = row(5), row(5)
    look(memory, 0, [first])
    assert told(look(memory, 1, [], [first.message_id])) == ["messages.lost"]
    (found,) = look(memory, 2, [second]).findings
    assert found.criterion == "seq.duplicates"
    assert str(uuid.UUID(bytes=first.message_id)) in found.finding.why


def test_a_second_message_of_one_sender_and_key_is_a_copy() -> None:
    memory = Memory({CHAT: 0}, [ANN, STRANGER])
    one = row(1)
    again = row(2)._replace(client_generated_id=one.client_generated_id)
    look(memory, 0, [one])
    (found,) = look(memory, 1, [again]).findings
    assert found.criterion == "messages.duplicated"
    assert str(uuid.UUID(bytes=one.message_id)) in found.finding.why
    assert look(memory, 2, [again._replace(status_text="read")]).findings == []
    assert look(memory, 3, [again._replace(message_id=STRANGER, seq=3, sender_id=STRANGER)]).findings == []


@pytest.mark.parametrize("field", ["text", "sender_id", "chat_id"])
def test_what_is_said_stays_as_it_is(field: str) -> None:
    memory = Memory({CHAT: 0}, [ANN])
    one = row(1)
    look(memory, 0, [one])
    changed = one._replace(**{field: "other" if field == "text" else uuid.uuid4().bytes})
    assert told(look(memory, 1, [changed])) == ["messages.corrupted"]


def test_what_others_do_is_nobodys_finding() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    theirs = [row(seq)._replace(sender_id=STRANGER) for seq in (1, 1, None)]
    assert look(memory, 0, theirs).findings == []
    assert look(memory, 1, [theirs[0]._replace(status_text=None, text="other")]).findings == []
    assert look(memory, 2, [], [theirs[0].message_id]).findings == []


def test_what_was_there_before_the_run_is_not_of_the_run() -> None:
    memory = Memory({CHAT: 10}, [ANN])
    memory.began_us = 1000
    assert look(memory, 0, [row(None)._replace(created_us=999)]).findings == []
    assert told(look(memory, 1, [row(None)._replace(created_us=1000)])) == ["seq.missing"]


def test_a_finding_says_all_that_is_known_of_the_message() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    one = row(7)
    look(memory, 0, [one])
    (found,) = look(memory, 1, [], [one.message_id]).findings
    said = found.finding
    assert (said.chat_id, said.seq, said.at_ns) == (str(uuid.UUID(bytes=CHAT)), 7, 1000)
    names = (said.message_id, said.client_generated_id, said.sender_id)
    assert names == tuple(
        str(uuid.UUID(bytes=known or b"")) for known in (one.message_id, one.client_generated_id, ANN)
    )


def holed(memory: Memory, poll: int, rows: Iterable[Stored], xmin: int, next_xid: int) -> list[str]:
    """What a look says of numbers that are missing."""
    seen = Look(poll, poll * 1000)
    memory.take_in(rows, seen)
    memory.gaps(seen, xmin, next_xid)
    memory.looked([])
    return [noticed.finding.why for noticed in seen.findings]


def test_a_hole_is_a_gap_once_everybody_who_could_fill_it_has_ended() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    assert holed(memory, 0, [row(1), row(4)], 100, 120) == []
    assert holed(memory, 1, [], 119, 130) == [], "one that ran then still runs"
    (why,) = holed(memory, 2, [], 120, 140)
    assert "seqs 2 to 3 of this chat" in why
    assert holed(memory, 3, [], 150, 150) == [], "once is enough"


def test_a_hole_that_is_filled_in_time_is_none() -> None:
    memory = Memory({CHAT: 0}, [ANN])
    assert holed(memory, 0, [row(1), row(3)], 100, 120) == []
    assert holed(memory, 1, [row(2)], 120, 130) == []
    assert holed(memory, 2, [row(6)], 130, 131) == []
    assert holed(memory, 3, [row(5)], 131, 132) == [], "it has become another hole, which may be filled, too"
    (why,) = holed(memory, 4, [], 132, 133)
    assert "seq 4 of this chat" in why


def test_a_row_costs_what_is_said() -> None:
    count = 10_000
    memory = Memory({CHAT: 0}, [ANN])
    tracemalloc.start()
    try:
        for seq in range(1, count + 1):
            memory.take_in([row(seq, "delivered")._replace(chat_id=bytes(CHAT))], Look(0, 0))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 350 < size / count < 570
