"""Promise: findings that say the same stand together with their true count, no kind hides another, and a page has room for all."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analysis.criteria import Finding
from analysis.faults import Faults, from_faults
from analysis.report.groups import (
    GROUPS_MOST,
    PAGE_ROWS,
    ROWS_MOST,
    ROWS_OF_GROUP,
    Section,
    sections,
    shared,
)
from analysis.verdict import ORDER, assemble
from tests.analysis.histories import History

COUNTS = dict.fromkeys(("sends", "ok", "fail", "info", "stored", "deliveries_expected", "deliveries"), 0)


def entries(found: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Criteria of a verdict with these findings by their ids."""
    criteria = [
        from_faults(
            name, name, "things", 9000, Faults.of([Finding(why, seq=seq) for seq, why in enumerate(whys)])
        )
        for name, whys in found.items()
    ]
    criteria_of_verdict: list[dict[str, Any]] = assemble(History().run(), COUNTS, criteria)["criteria"]
    return criteria_of_verdict


def section(whys: list[str]) -> Section:
    (one,) = sections(entries({"messages.lost": whys}))
    return one


def told(one: Section) -> list[tuple[str | None, int, int]]:
    return [(group.why, group.count, len(group.rows)) for group in one.groups]


def test_few_findings_need_no_groups() -> None:
    one = section(["lost"] * 12)
    assert (len(one.rows), one.groups) == (12, ())


def test_a_second_kind_has_rows_of_its_own_however_large_the_first_is() -> None:
    whys = [f"number {n} is missing" for n in range(400)] + [f"came {n} s late" for n in range(300)]
    assert told(section(whys)) == [
        ("number … is missing", 400, ROWS_MOST - ROWS_OF_GROUP),
        ("came … s late", 300, ROWS_OF_GROUP),
    ]
    whys = [f"number {n} is missing" for n in range(4500)] + [f"came {n} s late" for n in range(500)]
    assert told(section(whys)) == [
        ("number … is missing", 4500, ROWS_MOST - ROWS_OF_GROUP),
        ("came … s late", 500, ROWS_OF_GROUP),
    ]


def test_each_row_has_its_number_in_the_verdict() -> None:
    whys = ["a 1", "b 1"] * 20
    (entry,) = entries({"messages.lost": whys})
    (one,) = sections([entry])
    for group in one.groups:
        for row in group.rows:
            assert row.example is entry["examples"][row.number - 1]


def test_findings_of_a_kind_of_their_own_stand_together() -> None:
    alphabet = "abcdefghij"
    words = ["".join(alphabet[int(digit)] for digit in str(number)) for number in range(1000)]
    one = section(["twice", "twice", *words])
    assert told(one) == [("twice", 2, 2), (None, 1000, ROWS_MOST - 2)]
    assert (one.further_kinds, one.further) == (0, 0)


def test_kinds_that_have_no_group_are_counted() -> None:
    words = [chr(97 + number // 26) + chr(97 + number % 26) for number in range(200)]
    one = section([word for word in words for _ in range(3)])
    assert len(one.groups) == GROUPS_MOST
    assert (one.further_kinds, one.further) == (200 - GROUPS_MOST, 3 * (200 - GROUPS_MOST))
    assert all(group.rows for group in one.groups)


def test_a_page_has_a_bounded_number_of_rows_and_every_criterion_has_some() -> None:
    found = sections(entries({name: [f"late by {n} s" for n in range(1000)] for name in ORDER}))
    assert len(found) == len(ORDER)
    assert sum(one.shown for one in found) <= PAGE_ROWS
    assert min(one.shown for one in found) >= ROWS_OF_GROUP


@given(st.integers(0, 700), st.lists(st.integers(0, 200), max_size=28))
def test_room_is_shared_out_whole_and_nobody_gets_more_than_wanted(room: int, wanted: list[int]) -> None:
    given = shared(room, wanted)
    assert sum(given) == min(room, sum(wanted))
    assert all(got <= want for got, want in zip(given, wanted, strict=True))
    unserved = [got for got, want in zip(given, wanted, strict=True) if got < want]
    assert max(unserved, default=0) - min(unserved, default=0) <= 1
    assert not unserved or max(given) <= max(unserved)


@given(st.lists(st.sampled_from(["lost", "late by 1", "late by 2", "a", "b", "c"]), max_size=60))
def test_every_finding_is_counted_once_and_shown_where_there_is_room(whys: list[str]) -> None:
    for one in sections(entries({"messages.lost": whys})):
        counted = sum(group.count for group in one.groups) + len(one.rows) + one.further
        numbers = [row.number for group in one.groups for row in group.rows] + [
            row.number for row in one.rows
        ]
        assert counted == len(whys)
        assert sorted(numbers) == list(range(1, len(whys) + 1))
