"""Promise: a table that is still written is read batch by batch, each once, whole or not at all."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from analysis.record import ProcessInfo, RecordWriter, iter_batches
from analysis.record.reader import Tail
from analysis.record.tables import CALLS, LOAD_TABLES

COLUMNS = ("name", "left_ns")


def call(number: int) -> tuple[object, ...]:
    return (b"u" * 16, f"call {number}", number, number + 1, 0, 200, None)


def numbers(tail: Tail) -> list[int]:
    return [number for batch in tail.new_batches() for number in batch.column("left_ns").to_pylist()]


def test_what_has_come_since_comes_once(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "local", "calls", CALLS, COLUMNS)
    assert numbers(tail) == [], "nobody has begun"
    writer = RecordWriter(tmp_path / "local", LOAD_TABLES, ProcessInfo.here("local"))
    add = writer.adder("calls")
    for begin in (0, 10, 20):
        for number in range(begin, begin + 10):
            add(call(number))
        writer.flush()
        assert numbers(tail) == list(range(begin, begin + 10))
        assert numbers(tail) == []
    writer.close()
    assert numbers(tail) == []


@given(cuts=st.lists(st.integers(0, 6000), max_size=6))
def test_a_batch_of_which_a_part_is_there_comes_when_it_is_whole(
    cuts: list[int], tmp_path_factory: object
) -> None:
    folder: Path = tmp_path_factory.mktemp("tail")  # type: ignore[attr-defined]
    writer = RecordWriter(folder / "whole", LOAD_TABLES, ProcessInfo.here("local"))
    add = writer.adder("calls")
    for number in range(30):
        add(call(number))
        if number % 7 == 0:
            writer.flush()
    writer.close()
    whole = (folder / "whole" / "calls.arrows").read_bytes()
    (folder / "growing").mkdir()
    tail, seen = Tail(folder / "growing", "calls", CALLS, COLUMNS), []
    for size in [*sorted(cuts), len(whole)]:
        (folder / "growing" / "calls.arrows").write_bytes(whole[:size])
        seen += numbers(tail)
        there = [
            number
            for batch in iter_batches(folder / "growing", "calls", CALLS, COLUMNS)
            for number in batch.column("left_ns").to_pylist()
        ]
        assert seen == there
    assert seen == list(range(30))
