"""Promise: what a generator may be to blame for is an upper bound on what it did, and nothing where it kept up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks.spans import Spans
from analysis.checks.stalls import AFTER_NS, Departures, Stalls, Waits, own_ns

MS = 1_000_000


def stalls(*spans: tuple[int, int], process: int = 0) -> Stalls:
    """Spans in ms."""
    begin, end = (np.array([span[edge] for span in spans], np.int64) * MS for edge in (0, 1))
    return Stalls(np.full(len(spans), process, np.int64), begin, end, np.ones(len(spans)))


def spans(*found: tuple[int, int]) -> Spans:
    """Of process 0, in ms."""
    begin, end = (np.array([span[edge] for span in found], np.int64) * MS for edge in (0, 1))
    return Spans(np.zeros(len(found), np.int64), begin, end)


def own_ms(
    found: Stalls,
    due: float,
    left: float,
    seen: float,
    *,
    stamped: bool = False,
    again: float | None = None,
    busy: Spans | None = None,
    taken: Spans | None = None,
) -> float:
    """Of one wait of process 0; times in ms. Without `taken` it did not note when slots were taken."""
    departures = Departures(found, busy or spans(), taken or spans(), np.array([taken is not None]))
    times = (left if at is None else at for at in (due, left, again, seen))
    columns = (np.array([round(at * MS)], np.int64) for at in times)
    waits = Waits(np.zeros(1, np.int64), *columns, np.array([stamped]))
    return int(own_ns(waits, found, departures)[0]) / MS


def test_nothing_is_the_generators_own_where_it_kept_up() -> None:
    assert own_ms(stalls(), 0, 0, 1000) == 0
    assert own_ms(stalls((2000, 2500)), 0, 0, 1000) == 0
    assert own_ms(stalls((100, 500)), 0, 0, 1000) == 0, (
        "the answer came long after: waiting goes on meanwhile"
    )


def test_an_answer_that_is_read_in_or_right_after_a_stall_may_have_come_at_its_begin() -> None:
    found = stalls((100, 500))
    assert own_ms(found, 0, 0, 500) == 400
    assert own_ms(found, 0, 0, 300) == 200
    assert own_ms(found, 0, 0, 520) == 420
    assert own_ms(found, 0, 0, 500 + AFTER_NS / MS + 1) == 0
    assert own_ms(found, 450, 450, 500) == 50, "it had left only then"


def test_an_answer_that_the_kernel_saw_come_is_not_read_late() -> None:
    found = stalls((100, 500))
    assert own_ms(found, 0, 0, 300, stamped=True) == 0
    assert own_ms(found, 200, 500, 510, stamped=True) == 300, "it left late all the same"


def test_of_an_earlier_record_what_was_due_while_the_loop_stood_still_left_late_by_that() -> None:
    found = stalls((100, 500))
    assert own_ms(found, 200, 500, 900) == 300
    assert own_ms(found, 0, 600, 900) == 400, "of 600 ms of delay the rest has other reasons"


def test_whoever_leaves_late_was_kept_by_the_server_only_while_no_slot_was_free() -> None:
    assert own_ms(stalls(), 0, 600, 900, taken=spans()) == 600, "no stall, and late all the same"
    assert own_ms(stalls(), 0, 600, 900, taken=spans((0, 600))) == 0
    assert own_ms(stalls(), 0, 600, 900, taken=spans((50, 200), (150, 450))) == 200
    assert own_ms(stalls(), 300, 300, 900, taken=spans((0, 200))) == 0


def test_a_loop_that_is_behind_frees_no_slots() -> None:
    taken = spans((0, 600))
    assert own_ms(stalls((100, 300)), 0, 600, 900, taken=taken) == 200
    assert own_ms(stalls((100, 300)), 0, 600, 900, taken=taken, busy=spans((200, 500))) == 400


def test_what_kept_a_send_from_leaving_is_told_apart() -> None:
    both = np.array([0, 1])
    taken, busy = Spans(both, 0 * both, np.full(2, 500 * MS)), spans((200, 300))
    departures = Departures(stalls((100, 150)), busy, taken, np.array([True, False]))
    at = [np.array(times, np.int64) * MS for times in ([0, 0], [600, 600], [600, 600], [900, 900])]
    waits = Waits(both, *at, np.array([False, False]))
    assert (own_ns(waits, None, departures) // MS).tolist() == [250, 0]
    assert (departures.noted_ns(waits) // MS).tolist() == [150, 0]
    assert (departures.kept_ns(waits) // MS).tolist() == [350, 0], "of an earlier record it is not known"


def test_of_a_message_that_was_sent_again_only_the_last_answer_may_have_been_read_late() -> None:
    found = stalls((900, 1500))
    assert own_ms(found, 0, 0, 1500, again=1200) == 300
    assert own_ms(found, 0, 0, 1500, again=0) == 600


def test_stalls_that_follow_upon_one_another_are_one() -> None:
    found = stalls((100, 200), (200, 300), (301, 400))
    assert len(found) == 2
    assert own_ms(found, 0, 0, 300) == 200
    assert own_ms(found, 0, 0, 390) == 89
    assert found.longest_ns == 200 * MS
    assert found.cpu_ms.sum() == 3


def test_another_processs_stalls_are_nobodys_excuse() -> None:
    found = stalls((100, 500), process=1)
    assert own_ms(found, 0, 0, 500) == 0
    at, seen = np.zeros(2, np.int64), np.full(2, 500 * MS)
    waits = Waits(np.array([0, 1]), at, at, at, seen, np.zeros(2, np.bool_))
    assert own_ns(waits, found, None).tolist() == [0, 400 * MS]


def test_a_part_of_the_run_has_its_part_of_the_stalls() -> None:
    part = stalls((0, 1000), (2000, 3000), (5000, 6000)).within(500 * MS, 2500 * MS)
    assert part.total_ns == 1000 * MS
    assert part.cpu_ms.sum() == 1
    assert part.spans.share_of_seconds(0, 4).tolist() == [0.5, 0, 0.5, 0]


lengths = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 200)), max_size=12)


@st.composite
def timelines(draw: st.DrawFn) -> tuple[Stalls, list[bool]]:
    """Stalls, and for each millisecond whether the loop stood still."""
    at, found, still = 0, [], []
    for gap, length in draw(lengths):
        still += [False] * gap + [True] * length
        found.append((at + gap, at + gap + length))
        at += gap + length
    return stalls(*found), still


@given(timelines(), st.data())
def test_it_agrees_with_a_loop_over_every_millisecond(
    timeline: tuple[Stalls, list[bool]], data: st.DataObject
) -> None:
    found, still = timeline
    due, left, seen = sorted(data.draw(st.tuples(*[st.integers(0, len(still) + 100)] * 3)))
    left_late = sum(still[due:left])
    # Backwards from when it was read: a short time after a stall, and then all of that stall.
    at = seen
    while at > 0 and not (at - 1 < len(still) and still[at - 1]) and seen - at < AFTER_NS // MS:
        at -= 1
    begin = at
    while begin > 0 and begin - 1 < len(still) and still[begin - 1]:
        begin -= 1
    starts_now = seen < len(still) and still[seen] and not (seen > 0 and still[seen - 1])
    read_late = 0 if begin == at or starts_now else max(0, seen - max(begin, left))
    assert own_ms(found, due, left, seen) == left_late + read_late


@given(timelines(), st.lists(st.tuples(*[st.integers(0, 4000)] * 4), min_size=1, max_size=20), st.booleans())
def test_it_is_never_more_than_was_waited(
    timeline: tuple[Stalls, list[bool]], waits: list[tuple[int, ...]], noted: bool
) -> None:
    due, left, again, seen = np.sort(np.array(waits, np.int64) * MS, axis=1).T
    process = np.arange(len(due)) % 2
    taken = Spans(np.array([0, 1]), np.array([50, 500]) * MS, np.array([700, 2000]) * MS)
    departures = Departures(timeline[0], spans((300, 1300)), taken, np.array([True, noted]))
    waited = Waits(process, due, left, again, seen, due % 2 == 0)
    own = own_ns(waited, timeline[0], departures)
    assert (own >= 0).all()
    assert (own <= seen - due).all()
    left_late, kept = own_ns(waited, None, departures), departures.kept_ns(waited)
    assert (departures.noted_ns(waited) <= left_late)[process == 0].all()
    assert (left_late + kept <= left - due).all()


def test_a_process_stood_still_for_as_long_as_its_beats_were_late_and_the_worst_counts() -> None:
    first, second = stalls((0, 100), (100, 150), (400, 410)), stalls((0, 500), process=1)
    both = Stalls(
        *(
            np.concatenate([getattr(one, column) for one in (first, second)])
            for column in ("process", "begin_ns", "end_ns", "cpu_ms", "late_ns")
        )
    )
    assert len(first) == 2, "those that touch are one"
    assert first.worst(1).late_s == pytest.approx(0.08 + 0.03), "a beat of 20 ms in each of them is not late"
    assert first.worst(1).cpu_s == pytest.approx(0.003)
    assert both.worst(1).share == pytest.approx(0.48), "not that of both"
    assert both.worst(0.4).share == 1
    assert both.within(0, 250 * MS).worst(1).share == pytest.approx(0.24), "its share of what lies within"
    assert stalls().worst(0).share == stalls().worst(0).idle_share == 0
