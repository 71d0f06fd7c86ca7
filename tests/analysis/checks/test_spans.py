"""Promise: times that touch or overlap are counted once, by process."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks.spans import NS_PER_S, Spans

rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(0, 20)), max_size=15)


def made(found: list[tuple[int, int, int]]) -> Spans:
    """Of process, begin and length."""
    process, begin, length = np.array(found, np.int64).reshape(-1, 3).T
    return Spans(process, begin, begin + length)


@given(rows, rows, st.integers(0, 2), st.integers(0, 100))
def test_both_together_agree_with_a_loop_over_every_nanosecond(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]], number: int, until: int
) -> None:
    inside = {
        at
        for process, begin, length in one + other
        if process == number
        for at in range(begin, begin + length)
    }
    both = made(one) | made(other)
    assert both.until(number, np.array([until])).tolist() == [sum(at < until for at in inside)]
    process, begin, end = both.rows()
    mine = np.flatnonzero(process == number)
    assert (begin[mine][1:] > end[mine][:-1]).all()
    assert int((end - begin)[mine].sum()) == len(inside)


def test_each_second_has_the_share_of_the_process_that_has_most() -> None:
    half = NS_PER_S // 2
    found = Spans(
        np.array([0, 0, 1]), np.array([half, 3 * half, 0]), np.array([2 * half, 7 * half, half // 2])
    )
    assert found.share_of_seconds(0, 4).tolist() == [0.5, 0.5, 1.0, 0.5]
    assert made([]).share_of_seconds(0, 2).tolist() == [0, 0]
