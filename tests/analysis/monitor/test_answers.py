"""Promise: an answer that the rows belie is told at the second look at the latest, and one that they bear out never."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from analysis.monitor.answers import LOOKS_AWAITED, Answered, Answers
from analysis.monitor.memory import Look, Memory
from analysis.monitor.rows import Stored
from analysis.record.codes import Outcome

CHAT, ANN = uuid.uuid4().bytes, uuid.uuid4().bytes


def answered(
    seq: int | None = 1, *, left: int = 0, came: int = 5, outcome: Outcome = Outcome.OK, attempt: int = 0
) -> Answered:
    key, message = uuid.uuid4().bytes, uuid.uuid4().bytes if outcome is Outcome.OK else None
    return Answered("here", ANN, CHAT, key, attempt, left, came, outcome, message, seq, "hi")


def stored(one: Answered, *, seq: int | None = 1) -> Stored:
    message = one.message_id or uuid.uuid4().bytes
    return Stored(message, CHAT, seq, ANN, one.client_generated_id, "sent", one.text, 0, False)


class Watched:
    """Looks at rows and answers, one after the other."""

    def __init__(self) -> None:
        self.memory, self.answers, self.looks = Memory({CHAT: 0}, [ANN]), Answers(), 0

    def look(self, *new: Answered, rows: tuple[Stored, ...] = ()) -> list[str]:
        """The criteria that it has something to say of."""
        seen = Look(self.looks, self.looks)
        self.looks += 1
        self.answers.take_in(new)
        self.memory.take_in(rows, seen)
        self.answers.looked(self.memory, seen)
        self.found = [noticed.finding for noticed in seen.findings]
        return [noticed.criterion for noticed in seen.findings]


def test_what_is_stored_as_it_was_sent_is_no_news() -> None:
    run = Watched()
    one = answered()
    assert run.look(one, rows=(stored(one),)) == []
    assert run.answers.sought(run.memory) == ([], [])
    for _ in range(5):
        assert run.look() == []


def test_what_was_acknowledged_and_is_not_there_is_lost_at_the_second_look() -> None:
    run = Watched()
    one = answered()
    assert run.look(one) == []
    assert run.answers.sought(run.memory) == ([one.message_id], [])
    assert run.look() == ["messages.lost"]
    (found,) = run.found
    assert found.client_generated_id == str(uuid.UUID(bytes=one.client_generated_id))
    assert found.sender_id == str(uuid.UUID(bytes=ANN))
    assert run.look() == []
    assert LOOKS_AWAITED == 2, "the issue's promise: within two polls"


def test_an_app_that_stores_a_moment_after_it_answers_loses_nothing() -> None:
    run = Watched()
    one = answered()
    assert run.look(one) == []
    assert run.look(rows=(stored(one),)) == []
    assert run.look() == []


def test_an_answer_without_an_id_is_found_by_its_key() -> None:
    run = Watched()
    kept, lost = (answered()._replace(message_id=None) for _ in range(2))
    run.look(kept, lost, rows=(stored(kept),))
    assert run.answers.sought(run.memory) == ([], [(ANN, lost.client_generated_id)])
    assert run.look() == ["messages.lost"]


def test_what_went_again_is_told_once() -> None:
    run = Watched()
    one = answered()
    run.look(rows=(stored(one),))
    seen = Look(9, 9)
    run.memory.miss([one.message_id or b""], seen)
    assert len(seen.findings) == 1
    assert run.look(one) == run.look() == run.look() == []


def test_a_refused_message_that_is_stored_is_unexpected() -> None:
    run = Watched()
    one, other = (answered(outcome=Outcome.FAIL) for _ in range(2))
    assert run.look(one, other) == []
    assert run.look(rows=(stored(one, seq=1),)) == ["messages.unexpected"]
    assert run.look(rows=(stored(other, seq=2),)) == [], "nobody waits any more: the verdict will say it"


def test_of_a_message_that_nobody_answered_for_nothing_is_said() -> None:
    run = Watched()
    one, other = (answered(outcome=Outcome.INFO) for _ in range(2))
    assert run.look(one, other, rows=(stored(one),)) == run.look() == run.look() == []


def test_a_message_that_is_stored_otherwise_is_corrupted() -> None:
    run = Watched()
    one = answered()
    assert run.look(one, rows=(stored(one)._replace(text="ho"),)) == ["messages.corrupted"]


def test_a_repeat_that_is_answered_with_another_message_is_told() -> None:
    run = Watched()
    one = answered()
    repeat = one._replace(attempt=1, message_id=uuid.uuid4().bytes)
    assert run.look(one, rows=(stored(one),)) == []
    assert run.look(one._replace(attempt=1)) == []
    assert run.look(repeat) == ["idempotency.retries"]


def test_seq_goes_by_real_time() -> None:
    run = Watched()
    first, inside, after = (
        answered(5, left=0, came=10),
        answered(3, left=9, came=30),
        answered(4, left=11, came=40),
    )
    there = answered(1, left=50)._replace(clock="there")
    elsewhere = answered(1, left=50)._replace(chat_id=ANN)
    rows = tuple(stored(one, seq=one.seq) for one in (first, inside, after, there))
    assert run.look(first, inside, rows=rows) == [], "it had left before the other one was acknowledged"
    assert run.look(after) == ["seq.order"]
    assert "seq 5" in run.found[0].why
    assert run.look(there, elsewhere) == [], "times of two clocks, or chats, are not compared"


def test_an_answer_with_another_seq_than_is_stored_puts_nobody_out_of_order() -> None:
    run = Watched()
    wrong, *later = (answered(seq, left=10 * seq, came=10 * seq + 5) for seq in (2, 3, 4))
    rows = tuple(stored(one, seq=one.seq) for one in (wrong, *later))
    assert run.look(wrong._replace(seq=99), *later, rows=rows) == run.look() == []


def test_a_message_that_is_seen_after_later_ones_still_tells_of_their_order() -> None:
    run = Watched()
    early, late = answered(5, left=0, came=10), answered(3, left=20, came=30)
    assert run.look(early, late, rows=(stored(late, seq=3),)) == []
    assert run.look(rows=(stored(early, seq=5),)) == ["seq.order"]
    assert run.found[0].message_id == str(uuid.UUID(bytes=late.message_id))
    assert run.look() == []


sends = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), st.booleans()), max_size=30)


@given(sends, st.randoms())
def test_it_says_of_the_order_what_a_loop_over_all_pairs_says(
    times: list[tuple[int, int, bool]], rng: object
) -> None:
    """In whatever order they are written down, and whichever of the rows only the second look sees: each is told once."""
    seqs = list(range(1, len(times) + 1))
    rng.shuffle(seqs)  # type: ignore[attr-defined]
    all_of_them = [
        answered(seq, left=left, came=left + took) for seq, (left, took, _) in zip(seqs, times, strict=True)
    ]
    wrong = [
        str(uuid.UUID(bytes=one.message_id or b""))
        for one in all_of_them
        if any(other.answered_ns < one.left_ns and (other.seq or 0) > (one.seq or 0) for other in all_of_them)
    ]
    rows = [stored(one, seq=one.seq) for one in all_of_them]
    at_once = [at_once for *_, at_once in times]
    run = Watched()
    told = []
    for answers, shown in ((all_of_them, True), ([], False)):
        run.look(
            *answers, rows=tuple(row for row, first in zip(rows, at_once, strict=True) if first is shown)
        )
        told += [found.message_id for found in run.found if "left after" in found.why]
    assert sorted(filter(None, told)) == sorted(wrong)
