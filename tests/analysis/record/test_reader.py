"""Promise: of a part whose writer was killed, or whose file was cut anywhere, every whole batch is read."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.errors import RecordError
from analysis.record import ProcessInfo, RecordWriter, is_complete, iter_batches, read_process, read_table
from analysis.record.tables import CALLS, LOAD_TABLES, PAGES, POLLS, SENDS
from analysis.record.writer import END_OF_STREAM, ROWS_WITH_TEXT
from tests.analysis.record.rows import call, new_writer, numbers
from tests.analysis.targets import ROOT

BATCH = ROWS_WITH_TEXT - 1  # fewer rows than fill a buffer, so that each flush makes one batch
NAME = "a" * 4_000  # makes a batch so large that a write of it takes a while

# Writes for as long as it is let, and says after each flush how many rows there are.
WITHOUT_END = f"""
import itertools, resource, signal, sys
from pathlib import Path
from analysis.record import ProcessInfo, RecordWriter
from analysis.record.tables import LOAD_TABLES
from tests.analysis.record.rows import call

if limit_bytes := int(sys.argv[2]):
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
writer = RecordWriter(Path(sys.argv[1]), LOAD_TABLES, ProcessInfo.here("local"))
add = writer.adder("calls")
for number in itertools.count():
    add(call(number, "{NAME}"))
    if number % {BATCH} == {BATCH} - 1:
        writer.flush()
        print(number + 1, flush=True)
"""

GARBAGE = st.one_of(
    st.binary(max_size=200),
    # What Arrow takes for the beginning of a message, and a length that may be anything.
    st.tuples(st.integers(-(1 << 31), (1 << 31) - 1), st.binary(max_size=100)).map(
        lambda parts: END_OF_STREAM[:4] + parts[0].to_bytes(4, "little", signed=True) + parts[1]
    ),
)


def batches_of(table: str) -> list[list[tuple[Any, ...]]]:
    """Three batches in which text and lists vary in length and some cells are null."""
    some_id = bytes(range(16))
    if table == "sends":
        return [
            [
                (some_id, some_id, None, 0, 1, 2, 3, 0, 201, some_id, None, "שלום 👋🏽" * (batch + row), None)
                for row in range(batch + 2)
            ]
            for batch in range(3)
        ]
    return [
        [
            (
                *(some_id, None, 1, 0, None, 50, 1, 2, 0, 200),
                *([5] * row, [some_id, None] * batch, None, [2**32 - 2, None] * row, [None, 3] * batch),
            )
            for row in range(batch + 2)
        ]
        for batch in range(3)
    ]


@pytest.mark.parametrize("table", ["sends", "pages"])
def test_a_file_cut_at_any_byte_has_every_batch_before_the_cut(tmp_path: Path, table: str) -> None:
    schema, path = LOAD_TABLES[table], tmp_path / f"{table}.arrows"
    writer = RecordWriter(tmp_path, {table: schema}, ProcessInfo.here("local"))
    add = writer.adder(table)
    ends = [path.stat().st_size]  # after the schema, and after each batch
    for batch in batches_of(table):
        for row in batch:
            add(row)
        writer.flush()
        ends.append(path.stat().st_size)
    writer.close()

    whole = path.read_bytes()
    rows = read_table(tmp_path, table, schema).table
    assert len(rows) == sum(map(len, batches_of(table)))
    for cut in reversed(range(len(whole) + 1)):
        with path.open("r+b") as file:
            file.truncate(cut)
        part = read_table(tmp_path, table, schema)
        kept = sum(len(batch) for batch, end in zip(batches_of(table), ends[1:], strict=True) if end <= cut)
        assert part.table.equals(rows[:kept]), cut
        assert part.complete == (cut == len(whole)), cut


def test_a_killed_process_leaves_every_batch_that_it_flushed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT_END, tmp_path, "0"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.kill()
        # It may have got further before the signal reached it; every line that it wrote counts.
        flushed = max([3 * BATCH, *map(int, process.stdout.read().split())])
    assert process.returncode == -signal.SIGKILL
    found = numbers(read_table(tmp_path, "calls", CALLS).table)
    assert found == list(range(len(found)))
    assert len(found) in {flushed, flushed + BATCH}  # a batch may have been written but not told of
    assert not any(is_complete(tmp_path, table) for table in LOAD_TABLES)
    assert not read_process(tmp_path).closed


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_process_killed_in_the_middle_of_a_write_loses_that_batch_only(
    tmp_path: Path, share: float
) -> None:
    ends = []
    with new_writer({"calls": CALLS}) as same:
        for number in range(3 * BATCH):
            same.adder("calls")(call(number, NAME))
            if number % BATCH == BATCH - 1:
                same.flush()
                ends.append((same.folder / "calls.arrows").stat().st_size)
    # The kernel writes up to the limit, and ends the process when it tries to go on.
    first_byte, last_byte = ends[1] + 1, ends[2] - 1
    limit = first_byte + int((last_byte - first_byte) * share)
    process = subprocess.run(
        [sys.executable, "-c", WITHOUT_END, tmp_path, str(limit)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert process.returncode == -signal.SIGXFSZ
    assert process.stdout.split() == [str(BATCH), str(2 * BATCH)]
    assert (tmp_path / "calls.arrows").stat().st_size == limit
    part = read_table(tmp_path, "calls", CALLS)
    assert numbers(part.table) == list(range(2 * BATCH))
    assert not part.complete
    assert not read_process(tmp_path).closed


@settings(deadline=None)
@given(GARBAGE)
@example(b"")
@example(bytes(4096))  # what a file system may leave after the power went
@example(b"<html><body>Not found</body></html>")
def test_garbage_is_a_table_without_rows_that_is_not_complete(garbage: bytes) -> None:
    with new_writer({"calls": CALLS}) as writer:
        (writer.folder / "calls.arrows").write_bytes(garbage)
        part = read_table(writer.folder, "calls", CALLS)
        assert part.table.equals(CALLS.empty_table())
        assert part.complete == garbage.endswith(END_OF_STREAM)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_damage_in_the_middle_keeps_the_rows_before_it(data: st.DataObject) -> None:
    with new_writer({"calls": CALLS}) as writer:
        add = writer.adder("calls")
        path = writer.folder / "calls.arrows"
        add(call(0))
        writer.flush()
        begin = path.stat().st_size
        add(call(1))
        writer.flush()
        file = bytearray(path.read_bytes())
        # The second message's prefix and metadata, whose lengths and types Arrow goes by; not its values.
        length = int.from_bytes(file[begin + 4 : begin + 8], "little")
        place = data.draw(st.integers(begin, begin + 7 + length))
        file[place] = data.draw(st.integers(0, 255))
        path.write_bytes(file)
        batches = list(iter_batches(writer.folder, "calls", CALLS))
        assert batches[0].equals(
            pa.RecordBatch.from_pylist([dict(zip(CALLS.names, call(0), strict=True))], CALLS)
        )
        assert len(batches) <= 2


def test_zeros_after_the_last_batch_are_not_a_good_end(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, {"calls": CALLS}, ProcessInfo.here("local"))
    writer.adder("calls")(call(1))
    writer.flush()
    with (tmp_path / "calls.arrows").open("ab") as file:
        file.write(bytes(4096))
    part = read_table(tmp_path, "calls", CALLS)
    assert numbers(part.table) == [1]
    assert not part.complete
    writer.close()


def test_some_columns_in_the_order_asked_for(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, LOAD_TABLES, ProcessInfo.here("local"))
    writer.adder("calls")(call(7, "refresh"))
    writer.close()
    found = read_table(tmp_path, "calls", CALLS, ["name", "left_ns"]).table
    assert found.column_names == ["name", "left_ns"]
    assert found.to_pylist() == [{"name": "refresh", "left_ns": 7}]
    nothing = read_table(tmp_path, "pages", PAGES, ["seqs"]).table
    assert nothing.schema.equals(pa.schema([PAGES.field("seqs")]))


def test_a_missing_table_is_empty_and_not_complete(tmp_path: Path) -> None:
    part = read_table(tmp_path, "calls", CALLS)
    assert part.table.equals(CALLS.empty_table())
    assert not part.complete


def test_another_versions_columns_are_refused_in_one_sentence(tmp_path: Path) -> None:
    RecordWriter(tmp_path, {"calls": SENDS}, ProcessInfo.here("local")).close()
    with pytest.raises(RecordError) as refused:
        read_table(tmp_path, "calls", CALLS)
    path = tmp_path / "calls.arrows"
    assert str(refused.value) == (
        f"{path} holds other columns than this chatsoak writes; use the version that did."
    )


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "calls.arrows").mkdir()
    with pytest.raises(RecordError, match=r"calls\.arrows cannot be read"):
        read_table(tmp_path, "calls", CALLS)


@pytest.mark.parametrize(
    "absent", [{"asked_ns"}, {"server_us", "asked_ns"}, {"next_xid", "server_us", "asked_ns"}], ids=len
)
def test_a_column_that_an_earlier_version_did_not_write_is_read_as_null(
    tmp_path: Path, absent: set[str]
) -> None:
    earlier = pa.schema([field for field in POLLS if field.name not in absent])
    server = [value for name, value in (("next_xid", 5), ("server_us", 9)) if name not in absent]
    row = (*(0, 0, 1, 2.0, 3, 4), *server, *(6, 7, 8, None))
    writer = RecordWriter(tmp_path, {"polls": earlier}, ProcessInfo.here("monitor"))
    writer.adder("polls")(row)
    writer.close()
    (read,) = read_table(tmp_path, "polls", POLLS).table.to_pylist()
    assert read == dict(zip(earlier.names, row, strict=True)) | dict.fromkeys(absent)
    (one,) = iter_batches(tmp_path, "polls", POLLS, ("asked_ns", "xmin"))
    assert one.to_pylist() == [{"asked_ns": None, "xmin": 4}]


@pytest.mark.parametrize(
    "absent", [("sender_ids", "text_crc32s", "statuses"), ("text_crc32s", "statuses")], ids=len
)
def test_pages_of_an_earlier_version_have_no_senders_texts_and_statuses(
    tmp_path: Path, absent: tuple[str, ...]
) -> None:
    earlier = pa.schema([field for field in PAGES if field.name not in absent])
    some_id = bytes(16)
    senders = [[some_id]] * ("sender_ids" not in absent)
    writer = RecordWriter(tmp_path, {"pages": earlier}, ProcessInfo.here("local"))
    writer.adder("pages")((some_id, some_id, 1, 0, None, 50, 1, 2, 0, 200, [5], [some_id], *senders))
    writer.close()
    (read,) = read_table(tmp_path, "pages", PAGES).table.to_pylist()
    assert (read["seqs"], read["message_ids"]) == ([5], [some_id])
    assert [read[name] for name in absent] == [None] * len(absent)
