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
        self.answers.take_in(new, seen)
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
    first, inside, after = answered(5, left=0, came=10), answered(3, left=9, came=30), answered(4, left=11)
    there = answered(1, left=50)._replace(clock="there")
    elsewhere = answered(1, left=50)._replace(chat_id=ANN)
    rows = tuple(stored(one, seq=one.seq) for one in (first, inside, after, there))
    assert run.look(first, inside, rows=rows) == [], "it had left before the other one was acknowledged"
    assert run.look(after) == ["seq.order"]
    assert "seq 5" in run.found[0].why
    assert run.look(there, elsewhere) == [], "times of two clocks, or chats, are not compared"


sends = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=30)


@given(sends, st.randoms())
def test_it_never_says_more_of_the_order_than_a_loop_over_all_pairs(
    times: list[tuple[int, int]], rng: object
) -> None:
    """Sends come in the order of their answers, as one process writes them down: then it says the same."""
    seqs = list(range(1, len(times) + 1))
    rng.shuffle(seqs)  # type: ignore[attr-defined]
    all_of_them = [
        answered(seq, left=left, came=left + took) for seq, (left, took) in zip(seqs, times, strict=True)
    ]
    all_of_them.sort(key=lambda one: one.answered_ns)
    wrong = {
        one.message_id
        for one in all_of_them
        for other in all_of_them
        if other.answered_ns < one.left_ns and (other.seq or 0) > (one.seq or 0)
    }
    run = Watched()
    run.look(*all_of_them)
    told = {found.message_id for found in run.found if "left after" in found.why}
    assert told == {str(uuid.UUID(bytes=message or b"")) for message in wrong}
