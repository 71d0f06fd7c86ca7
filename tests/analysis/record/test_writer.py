"""Promise: what is handed to a writer is on disk after a flush, and a full disk costs rows, never the run."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.errors import RecordError
from analysis.record import ProcessInfo, RecordWriter, is_complete, iter_batches, read_process, read_table
from analysis.record.tables import CALLS, DATABASE_TABLES, EVENTS, LOAD_TABLES
from analysis.record.writer import ROWS_OF_FIXED_SIZE, ROWS_WITH_TEXT
from tests.analysis.record.rows import TABLES, call, new_writer, numbers, rows
from tests.analysis.targets import ROOT

LIMIT_BYTES = 100_000

# A file may not grow beyond the limit: to the writer that is a disk that is full, until the limit is lifted.
# Python ignores SIGXFSZ, so the write fails with an error instead of ending the process.
FULL_DISK = f"""
import os, resource, sys
from pathlib import Path
from analysis.record import ProcessInfo, RecordWriter
from analysis.record.tables import LOAD_TABLES
from tests.analysis.record.rows import call

writer = RecordWriter(Path(sys.argv[1]), LOAD_TABLES, ProcessInfo.here("local"))
add = writer.adder("calls")

def batch(first, count, name="sign-in"):
    for number in range(first, first + count):
        add(call(number, name))
    writer.flush()

batch(0, 10)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT_BYTES}, hard))
if sys.argv[2] == "full at the close":
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
    add(call(10, "sign-in"))
    writer.close()
    os._exit(0)
batch(10, 5, "a" * {LIMIT_BYTES})
assert writer.dropped == {{"calls": 5}}, writer.dropped
batch(15, 2)
if sys.argv[2] == "room again":
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
batch(17, 3, "b" * {LIMIT_BYTES})
if sys.argv[2] == "no room for process.json":
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
if sys.argv[2] == "killed":
    os._exit(0)
writer.close()
"""


@settings(deadline=None, max_examples=20)
@given(st.data())
@pytest.mark.parametrize("name", TABLES)
def test_rows_come_back_equal(name: str, data: st.DataObject) -> None:
    batches = data.draw(st.lists(rows(TABLES[name]), max_size=3))
    with new_writer({name: TABLES[name]}) as writer:
        add = writer.adder(name)
        for batch in batches:
            for handed_over, _ in batch:
                add(handed_over)
            writer.flush()
        writer.close()
        part = read_table(writer.folder, name, TABLES[name])
        wanted = [
            dict(zip(TABLES[name].names, expected, strict=True)) for batch in batches for _, expected in batch
        ]
        assert part.table.to_pylist() == wanted
        assert part.complete
        said = read_process(writer.folder)
        assert (said.closed, said.counts, said.dropped, said.error) == (True, {name: len(wanted)}, {}, None)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 5), max_size=8))
@example([3, 0, 2])
def test_a_flush_puts_each_batch_on_disk_while_the_writer_goes_on(sizes: list[int]) -> None:
    with new_writer({"calls": CALLS}) as writer:
        add = writer.adder("calls")
        total = 0
        for size in sizes:
            for number in range(total, total + size):
                add(call(number))
            total += size
            writer.flush()
            part = read_table(writer.folder, "calls", CALLS)
            assert numbers(part.table) == list(range(total))
            assert not part.complete
            assert not read_process(writer.folder).closed
        found = [len(batch) for batch in iter_batches(writer.folder, "calls", CALLS)]
        assert found == [size for size in sizes if size]


@pytest.mark.parametrize(
    ("table", "limit"), [("calls", ROWS_WITH_TEXT), ("pages", ROWS_WITH_TEXT), ("events", ROWS_OF_FIXED_SIZE)]
)
def test_a_buffer_is_written_when_it_is_full(tmp_path: Path, table: str, limit: int) -> None:
    writer = RecordWriter(tmp_path, LOAD_TABLES, ProcessInfo.here("local"))
    add = writer.adder(table)
    nothing = (None,) * len(LOAD_TABLES[table])
    for number in range(3 * limit + 1):
        assert writer.buffered_rows == number % limit
        add(nothing)
    assert writer.counts[table] == 3 * limit
    found = [len(batch) for batch in iter_batches(tmp_path, table, LOAD_TABLES[table])]
    assert found == [limit] * 3
    writer.close()
    assert writer.buffered_rows == 0
    assert writer.counts[table] == 3 * limit + 1


def test_tables_do_not_mix(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, LOAD_TABLES, ProcessInfo.here("local"))
    writer.adder("calls")(call(1))
    writer.adder("stalls")((1, 2, 0.5))
    writer.close()
    counts = read_process(tmp_path).counts
    assert {name: count for name, count in counts.items() if count} == {"calls": 1, "stalls": 1}
    assert all(is_complete(tmp_path, name) for name in LOAD_TABLES)


@pytest.mark.parametrize(
    ("afterwards", "kept", "dropped"),
    [("room again", [*range(10), *range(15, 20)], 5), ("still full", [*range(10), 15, 16], 8)],
)
def test_a_full_disk_costs_the_rows_of_its_writes_and_no_others(
    tmp_path: Path, afterwards: str, kept: list[int], dropped: int
) -> None:
    fill_the_disk(tmp_path, afterwards)
    part = read_table(tmp_path, "calls", CALLS)
    assert numbers(part.table) == kept
    assert part.complete
    said = read_process(tmp_path)
    assert said.closed
    assert said.dropped == {"calls": dropped}
    assert said.counts["calls"] == len(kept)
    assert said.error == "calls: File too large"
    assert said.lost_rows
    assert not (tmp_path / "process.json.lost").exists()


@pytest.mark.parametrize("afterwards", ["killed", "no room for process.json"])
def test_a_process_that_cannot_say_how_many_rows_it_lost_says_that_it_lost_some(
    tmp_path: Path, afterwards: str
) -> None:
    fill_the_disk(tmp_path, afterwards)
    assert numbers(read_table(tmp_path, "calls", CALLS).table) == [*range(10), 15, 16]
    said = read_process(tmp_path)
    assert (said.closed, said.lost_rows) == (False, True)


def test_a_row_that_is_lost_by_the_close_itself_is_said_to_be_lost(tmp_path: Path) -> None:
    fill_the_disk(tmp_path, "full at the close")
    assert numbers(read_table(tmp_path, "calls", CALLS).table) == [*range(10)]
    said = read_process(tmp_path)
    assert (said.closed, said.lost_rows) == (False, True)


def test_a_process_that_was_just_killed_lost_no_row_that_it_could_not_write(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, {"calls": CALLS}, ProcessInfo.here("local"))
    writer.adder("calls")(call(1))
    writer.flush()
    said = read_process(tmp_path)
    assert (said.closed, said.lost_rows) == (False, False)


def fill_the_disk(folder: Path, afterwards: str) -> None:
    """A process writes, has no room, writes on, and then what `afterwards` says happens."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, folder, afterwards],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_cell_that_does_not_fit_becomes_null_and_its_row_stays(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, {"calls": CALLS}, ProcessInfo.here("local"))
    add = writer.adder("calls")
    add(call(1))
    add((7, "sign-in", "yesterday", 3, 1000, 200, None))
    add(call(3))
    writer.close()
    odd = read_table(tmp_path, "calls", CALLS).table.to_pylist()
    assert [row["left_ns"] for row in odd] == [1, None, 3]
    assert odd[1] == dict(zip(CALLS.names, (None, "sign-in", None, 3, None, 200, None), strict=True))
    said = read_process(tmp_path)
    assert said.counts == {"calls": 3}
    assert said.dropped == {}
    assert said.error == "calls: 1 values do not fit user_id (fixed_size_binary[16]) and became null"


@pytest.mark.parametrize("row", [(), call(2)[:-1], (*call(2), None)])
def test_a_row_of_another_length_is_counted_and_takes_no_other_with_it(
    tmp_path: Path, row: tuple[object, ...]
) -> None:
    writer = RecordWriter(tmp_path, {"calls": CALLS}, ProcessInfo.here("local"))
    add = writer.adder("calls")
    for each in (call(1), row, call(3)):
        add(each)
    writer.close()
    assert numbers(read_table(tmp_path, "calls", CALLS).table) == [1, 3]
    said = read_process(tmp_path)
    assert said.dropped == {"calls": 1}
    assert said.error == "calls: rows without exactly 7 values"


def test_rows_that_come_after_the_close_are_counted_and_do_no_harm(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, {"calls": CALLS}, ProcessInfo.here("local"))
    add = writer.adder("calls")
    add(call(1))
    writer.close()
    before = (tmp_path / "calls.arrows").read_bytes()
    add(call(2))
    writer.flush()
    writer.close()
    assert writer.dropped == {"calls": 1}
    assert (tmp_path / "calls.arrows").read_bytes() == before


def test_a_folder_that_holds_a_record_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    first = RecordWriter(tmp_path, DATABASE_TABLES, ProcessInfo.here("monitor"))
    first.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RecordError, match="holds no record yet"):
        RecordWriter(tmp_path, DATABASE_TABLES, ProcessInfo.here("another"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match="give a folder that can be written"):
        RecordWriter(tmp_path / "file" / "local", {"events": EVENTS}, ProcessInfo.here("local"))


def test_what_takes_long_the_first_time_is_done_before_the_first_row(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from analysis.record import ProcessInfo, RecordWriter; "
        "from analysis.record.tables import EVENTS; "
        f"RecordWriter(Path({str(tmp_path / 'local')!r}), {{'events': EVENTS}}, ProcessInfo.here('local')); "
        "early = set(sys.modules); import pyarrow; pyarrow.array([1]); print(len(set(sys.modules) - early))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n", "the first conversion imports nothing any more"
