"""Promise: run.json says what the run was, to the letter, or is refused in one sentence."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import RecordError
from analysis.record import Chat, Person, Run, new_run_id, read_run
from tests.analysis.record.rows import ANY_TEXT

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
RUNS = st.builds(
    Run,
    run_id=ANY_TEXT,
    host=ANY_TEXT,
    embedded=st.booleans(),
    settings=st.dictionaries(ANY_TEXT, JSON_VALUES, max_size=3),
    versions=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3),
    people=st.lists(st.builds(Person, ANY_TEXT, ANY_TEXT), max_size=3),
    chats=st.lists(
        st.builds(
            Chat,
            ANY_TEXT,
            st.sampled_from(["direct", "group"]),
            st.lists(ANY_TEXT, max_size=3).map(tuple),
            st.floats(0, 100),
        ),
        max_size=3,
    ),
    processes=st.lists(ANY_TEXT, max_size=3),
    started_at=st.none() | ANY_TEXT,
    ended_at=st.none() | ANY_TEXT,
    phases=st.lists(st.fixed_dictionaries({"name": ANY_TEXT, "at_ns": st.integers()}), max_size=3),
    notes=st.lists(ANY_TEXT, max_size=3),
)


def a_run(**given: Any) -> Run:
    return Run(
        **{"run_id": "r", "host": "http://h", "embedded": True, "settings": {}, "versions": {}, **given}
    )


def refusal(folder: Path) -> str:
    """Why there is no run in `folder`: a sentence that names the place and the file."""
    with pytest.raises(RecordError) as refused:
        read_run(folder)
    why = str(refused.value)
    assert str(folder) in why
    assert "run.json" in why
    assert why.endswith(".")
    assert "\n" not in why
    return why


@settings(deadline=None)
@given(RUNS)
def test_a_run_comes_back_equal(run: Run) -> None:
    with TemporaryDirectory() as folder:
        run.write(Path(folder))
        assert read_run(Path(folder)) == run


def test_it_is_json_that_people_can_read(tmp_path: Path) -> None:
    a_run(notes=["ärgerlich 👋", "\ud83d"]).write(tmp_path)
    content = (tmp_path / "run.json").read_text(encoding="utf-8")
    assert '"ärgerlich 👋"' in content
    assert json.loads(content)["notes"] == ["ärgerlich 👋", "\ud83d"]


def test_writing_again_replaces_the_whole_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    a_run(notes=["a" * 10_000]).write(tmp_path)
    a_run(ended_at="2026-11-23T16:02:00Z").write(tmp_path)
    assert read_run(tmp_path) == a_run(ended_at="2026-11-23T16:02:00Z")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_write_that_fails_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    a_run(notes=["first"]).write(tmp_path)
    (tmp_path / "run.json.part").mkdir()  # nothing can be written where the new file is made
    with pytest.raises(OSError, match=r"run\.json\.part"):
        a_run(notes=["second"]).write(tmp_path)
    assert read_run(tmp_path).notes == ["first"]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"{tmp_path} holds no run: run.json is missing; give a folder below reports/, e.g. reports/latest."
    )


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_another_schema_is_refused(tmp_path: Path, schema: object) -> None:
    a_run().write(tmp_path)
    path = tmp_path / "run.json"
    data = json.loads(path.read_text(encoding="utf-8")) | {"schema": schema, "new_in_2": "anything"}
    path.write_text(json.dumps(data), encoding="utf-8")
    assert refusal(tmp_path) == (
        f"{path} has schema {schema!r}; this chatsoak reads schema 1: use the version that wrote it."
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"run_id": "r", ',
        b"\xff\xfe",
        b"[]",
        b'"run"',
        b"null",
        b"{}",
        b'{"schema": 1}',
        b'{"schema": 1, "people": [], "chats": []}',
        b'{"schema": 1, "people": [{"id": "x"}], "chats": []}',
        b'{"schema": 1, "people": 5, "chats": []}',
        b'{"schema": 1, "people": [], "chats": [{"id": "x"}]}',
    ],
)
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    refusal(tmp_path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    assert "cannot be read" in refusal(tmp_path)


def test_names_of_runs_sort_by_their_start_and_differ_within_a_second() -> None:
    start = datetime(2026, 11, 23, 16, 0, 0, tzinfo=UTC)
    moments = [start + timedelta(seconds=each) for each in (0, 1, 59, 3_600, 86_400, 40 * 86_400)]
    ids = [new_run_id(moment) for moment in moments]
    assert ids == sorted(ids)
    assert ids[0].startswith("20261123T160000Z-")
    assert len({new_run_id(start) for _ in range(20)}) > 1
