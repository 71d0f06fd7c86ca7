"""Promise: process.json says who wrote a part, by which clocks, and how much of it should be there."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import RecordError
from analysis.record import ProcessInfo, ProcessRecord, read_process
from tests.analysis.record.rows import ANY_TEXT, new_writer

COUNTS = st.dictionaries(ANY_TEXT, st.integers(0), max_size=3)
NUMBERS = st.integers(0, 1 << 62)
RECORDS = st.builds(
    ProcessRecord,
    info=st.builds(
        ProcessInfo,
        name=ANY_TEXT,
        pid=NUMBERS,
        host=ANY_TEXT,
        boot_id=ANY_TEXT,
        monotonic_ns=NUMBERS,
        wall_us=NUMBERS,
        versions=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3),
    ),
    closed=st.booleans(),
    counts=COUNTS,
    dropped=COUNTS,
    error=st.none() | ANY_TEXT,
    lost_rows=st.booleans(),
)


@settings(deadline=None)
@given(RECORDS)
def test_it_comes_back_equal(record: ProcessRecord) -> None:
    with new_writer({}) as writer:
        record.write(writer.folder)
        assert read_process(writer.folder) == record


def test_clocks_are_shared_within_one_boot_of_one_host_only() -> None:
    one, other = ProcessInfo.here("worker-0"), ProcessInfo.here("worker-1")
    assert one.clock_domain == other.clock_domain
    assert other.monotonic_ns >= one.monotonic_ns
    assert replace(one, boot_id="later").clock_domain != one.clock_domain
    assert replace(one, host="elsewhere").clock_domain != one.clock_domain


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b"\xff", b"[]", b"null", b"5", b"{}", b'{"name": "local"}']
)
def test_a_file_that_is_missing_or_none_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "process.json").write_bytes(content)
    with pytest.raises(RecordError) as refused:
        read_process(tmp_path)
    assert str(refused.value).startswith(
        f"{tmp_path / 'process.json'} cannot be read as a process of a record"
    )
    assert "\n" not in str(refused.value)
