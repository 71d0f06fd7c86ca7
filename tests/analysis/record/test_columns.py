"""Promise: a column holds every value that fits it, however it is mixed, and a null for every other."""

import uuid
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.record.columns import column
from analysis.record.tables import UUID
from tests.analysis.record.rows import ANY_TEXT, MOMENTS, TABLES, cells, microseconds

FIELDS = {str(field.type): field for schema in TABLES.values() for field in schema}
NUMBERS = FIELDS["int64"]
ID = pa.field("id", UUID)
ONE = uuid.UUID("0c000000-0000-4000-8000-0000000000ff")

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.binary(max_size=17)
    | st.uuids()
    | st.decimals()
    | st.builds(object),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=2),
    max_leaves=5,
)


@settings(deadline=None, max_examples=50)
@given(st.data())
@pytest.mark.parametrize("kind", FIELDS)
def test_odd_values_never_raise_nor_touch_the_others(kind: str, data: st.DataObject) -> None:
    field = FIELDS[kind]
    cell = cells(field.type).map(lambda pair: (*pair, True))
    odd = ODD.map(lambda value: (value, None, False))
    drawn = data.draw(st.lists(cell | odd, max_size=6))
    array, misfits = column([value for value, _, _ in drawn], field)
    array.validate(full=True)
    back = array.to_pylist()
    assert len(back) == len(drawn)
    assert [value for value, (_, _, fits) in zip(back, drawn, strict=True) if fits] == [
        expected for _, expected, fits in drawn if fits
    ]
    assert (misfits > 0) <= any(not fits for _, _, fits in drawn)


@settings(deadline=None)
@given(st.lists(MOMENTS, min_size=1))
def test_times_are_microseconds_of_the_epoch_in_any_zone(moments: list[datetime]) -> None:
    wanted = [microseconds(moment) for moment in moments]
    texts = [moment.isoformat() for moment in moments]
    assert column(texts, NUMBERS)[0].to_pylist() == wanted
    # One by one, too: a number among them bars the quick way.
    assert column([*texts, 7], NUMBERS) == (pa.array([*wanted, 7], pa.int64()), 0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-23T16:00:00Z", 1_795_449_600_000_000),
        ("2026-11-23T16:00:00.123456+00:00", 1_795_449_600_123_456),
        ("2026-11-23 17:00:00.5+01:00", 1_795_449_600_500_000),
        ("2026-11-23T16:00:00", None),  # no offset: nobody knows when that was
        ("now", None),
    ],
)
def test_a_time_without_its_offset_is_none(text: str, wanted: int | None) -> None:
    assert column([text], NUMBERS) == (pa.array([wanted], pa.int64()), int(wanted is None))


@settings(deadline=None)
@given(st.lists(st.none() | st.uuids()), st.booleans())
@example([], True)
@example([None], False)
def test_ids_as_text_and_as_bytes_are_the_same(ids: list[uuid.UUID | None], upper: bool) -> None:
    raw = [None if id_ is None else id_.bytes for id_ in ids]
    texts = [None if id_ is None else str(id_) for id_ in ids]
    if upper:
        texts = [None if text is None else text.upper() for text in texts]
    assert column(raw, ID) == column(texts, ID) == (pa.array(raw, UUID), 0)


@pytest.mark.parametrize(
    "no_id",
    [
        "0c000000-0000-4000-8000-0000000000f",
        "0c000000-0000-4000-8000-0000000000fg",
        "0c000000-0000-4000-8000-0000000000 f",
        "",
        b"too short",
        bytes(17),
        42,
        ONE,
    ],
)
def test_what_is_no_id_is_null_between_ids_that_are(no_id: Any) -> None:
    array, misfits = column([str(ONE), no_id, ONE.bytes], ID)
    assert array.to_pylist() == [ONE.bytes, None, ONE.bytes]
    assert misfits == 1


def test_lists_keep_apart_null_empty_and_null_inside() -> None:
    field = FIELDS[str(pa.list_(UUID))]
    array, misfits = column([[str(ONE)], None, [], [None, ONE.bytes], "no list", 7], field)
    assert array.to_pylist() == [[ONE.bytes], None, [], [None, ONE.bytes], None, None]
    assert misfits == 2
