"""Promise: the monitor knows which rows are due, forgets nothing it saw, and stays small."""

import tracemalloc
import uuid
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from analysis.monitor.memory import PATIENCE_LOOKS, Look, Memory
from analysis.monitor.rows import Stored
from analysis.record.codes import ObservedChange

CHAT = uuid.uuid4().bytes


def row(seq: int | None, status: str | None = "sent", message_id: bytes | None = None) -> Stored:
    message = message_id or uuid.uuid4().bytes
    return Stored(message, CHAT, seq, uuid.uuid4().bytes, uuid.uuid4().bytes, status, "text", 0, False)


def look(memory: Memory, poll: int, rows: Iterable[Stored], asked: Iterable[bytes] = ()) -> Look:
    seen = Look(poll, poll * 1000)
    memory.take_in(rows, seen)
    memory.miss(asked, seen)
    return seen


def test_a_fresh_message_is_not_kept_waiting_by_those_that_nobody_reads() -> None:
    memory = Memory({CHAT: 0})
    look(memory, 0, [row(seq, "delivered") for seq in range(1, 1001)])
    fresh = row(1001)
    look(memory, 1, [fresh])
    assert fresh.message_id in memory.due(10, 10, 10)


@given(rows=st.integers(1, 60), at_once=st.integers(1, 20))
def test_every_row_has_its_turn(rows: int, at_once: int) -> None:
    for status in ("sent", "delivered", "read"):
        memory = Memory({CHAT: 0})
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
    memory = Memory({CHAT: 0})
    look(memory, 0, [row(seq) for seq in range(1, 6)])
    assert memory.due(2, 2, 2) == memory.due(2, 2, 2)


@given(st.permutations(range(1, 12)))
def test_the_frontier_never_passes_a_number_that_may_still_come(order: list[int]) -> None:
    memory = Memory({CHAT: 0})
    seen: set[int] = set()
    for poll, seq in enumerate(order):
        look(memory, poll, [row(seq)])
        seen.add(seq)
        contiguous = next(number for number in range(1, 13) if number not in seen) - 1
        assert memory.frontiers == ([CHAT], [contiguous])


def test_a_hole_that_stays_does_not_hold_the_frontier_for_ever() -> None:
    memory = Memory({CHAT: 0})
    look(memory, 0, [row(1), row(3), row(4)])
    for _ in range(PATIENCE_LOOKS + 1):
        assert memory.frontiers[1] == [1]
        memory.looked([])
    assert memory.frontiers[1] == [4]


def test_the_same_row_again_is_no_news() -> None:
    memory = Memory({CHAT: 0})
    one = row(1)
    assert look(memory, 0, [one]).new == 1
    again = look(memory, 1, [one, one])
    assert (again.new, again.changed, again.gone, again.observations) == (0, 0, 0, [])


def test_who_shares_a_seq_is_told_both_ways_and_forgotten_when_it_ends() -> None:
    memory = Memory({CHAT: 0})
    first, second = row(1), row(1)
    found = look(memory, 0, [first, second]).findings
    assert [noticed.finding.message_id for noticed in found] == [str(uuid.UUID(bytes=second.message_id))]
    assert str(uuid.UUID(bytes=first.message_id)) in found[0].finding.why
    look(memory, 1, [second._replace(seq=2)], [])
    assert look(memory, 2, [row(3)]).findings == []
    assert look(memory, 3, [first._replace(text="edited")]).findings == []


def test_gone_is_only_who_was_asked_for_and_known() -> None:
    memory = Memory({CHAT: 0})
    kept, lost = row(1), row(2)
    look(memory, 0, [kept, lost])
    seen = look(memory, 1, [kept], [kept.message_id, lost.message_id, uuid.uuid4().bytes])
    assert [(one[1], one[3]) for one in seen.observations] == [(ObservedChange.GONE, lost.message_id)]
    assert lost.message_id not in memory
    assert len(memory) == 1


def test_a_status_moves_forward_only() -> None:
    for before, after, back in [
        ("sent", "delivered", False), ("delivered", "read", False), ("sent", "read", False),
        ("read", "sent", True), ("read", "delivered", True), ("delivered", "sent", True), ("sent", None, True),
    ]:  # fmt: skip
        memory = Memory({CHAT: 0})
        one = row(1, before)
        look(memory, 0, [one])
        found = look(memory, 1, [one._replace(status_text=after)]).findings
        assert [("went back" in noticed.finding.why) for noticed in found] == ([True] if back else [])


def test_a_row_costs_what_is_said() -> None:
    count = 10_000
    memory = Memory({CHAT: 0})
    tracemalloc.start()
    try:
        for seq in range(1, count + 1):
            memory.take_in([row(seq, "delivered")._replace(chat_id=bytes(CHAT))], Look(0, 0))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 250 < size / count < 470
