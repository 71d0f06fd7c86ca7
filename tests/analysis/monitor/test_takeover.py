"""Promise: a monitor that takes over from one that was killed goes on as if it had been there all along."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.monitor.memory import Look, Memory
from analysis.monitor.predecessor import replay
from analysis.monitor.rows import Stored
from analysis.record import is_complete, monitor_folders
from analysis.record.tables import OBSERVATIONS
from tests.analysis.monitor.runs import PATIENCE_S, WatchedRun, monitor_process, until

CHATS = tuple(uuid.UUID(int=1000 + number).bytes for number in range(2))
MESSAGES = tuple(uuid.UUID(int=number).bytes for number in range(6))
PEOPLE = [uuid.UUID(int=7).bytes]
BASELINE = {CHATS[0]: 0, CHATS[1]: 4}

stored = st.builds(
    Stored,
    message_id=st.sampled_from(MESSAGES),
    chat_id=st.sampled_from(CHATS),
    seq=st.none() | st.integers(0, 9),
    sender_id=st.none() | st.just(uuid.UUID(int=7).bytes),
    client_generated_id=st.none() | st.just(uuid.UUID(int=8).bytes),
    status_text=st.sampled_from([None, "sent", "delivered", "read", "seen", "READ", "null", ""]),
    text=st.none() | st.text(max_size=3),
    created_us=st.none() | st.integers(0, 3),
    deleted=st.booleans(),
)
# What is there at each look; whatever was known and is not there is asked for, and so gone.
worlds = st.lists(st.lists(stored, max_size=5, unique_by=lambda row: row.message_id), max_size=8)


def look(memory: Memory, poll: int, world: Iterable[Stored]) -> Look:
    seen = Look(poll, poll * 1000)
    memory.take_in(world, seen)
    memory.miss(MESSAGES, seen)
    return seen


def recorded(looks: Iterable[Look]) -> Iterator[dict[str, Any]]:
    """The observations as the record gives them back."""
    for one in looks:
        for row in one.observations:
            yield dict(zip(OBSERVATIONS.names, row, strict=True))


@given(before=worlds, afterwards=worlds)
def test_a_memory_that_was_rebuilt_notices_what_one_that_was_kept_does(
    before: list[list[Stored]], afterwards: list[list[Stored]]
) -> None:
    kept, rebuilt = Memory(BASELINE, PEOPLE), Memory(BASELINE, PEOPLE)
    looks = [look(kept, poll, world) for poll, world in enumerate(before)]
    last = replay(rebuilt, recorded(looks))
    with_rows = [one for one in looks if one.observations]
    assert (last is None) == (not with_rows)
    if last is not None:
        assert last == replace(with_rows[-1], observations=[])
    everything = len(MESSAGES)
    assert len(rebuilt) == len(kept)
    assert rebuilt.holes() == kept.holes()
    assert rebuilt.frontiers == kept.frontiers
    assert set(rebuilt.due(*[everything] * 3)) == set(kept.due(*[everything] * 3))
    for poll, world in enumerate(afterwards, start=len(before)):
        assert look(rebuilt, poll, world) == look(kept, poll, world)
    assert rebuilt.holes() == kept.holes()


def test_it_goes_on_where_the_other_was_killed(watched: WatchedRun) -> None:
    with monitor_process(watched) as first:
        first.line()
        watched.send(3)
        until(lambda: len(watched.changes()) == 3, "the first saw three rows")
        first.process.kill()
        first.process.wait(PATIENCE_S)
    looks = len(watched.table("polls"))
    watched.do(
        "delete from chat_messages where seq = 2", "update chat_messages set status = 'read' where seq = 1"
    )
    watched.send()
    with monitor_process(watched, "--take-over") as second:
        assert second.line()["ready"] is True
        assert second.line()["finding"]["seq"] == 2
        assert second.finish() == 0
    part = watched.part_of_successor()
    assert sorted(part.changes()) == [("APPEARED", 4), ("CHANGED", 1), ("GONE", 2)]
    polls = [row["poll"] for row in part.table("polls")]
    assert polls == list(range(looks, looks + len(polls)))
    assert part.kinds()[-1] == "SWEEP"
    assert part.table("baseline") == []
    assert [path.name for path in monitor_folders(watched.folder)] == ["database", "2"]
    assert not is_complete(watched.database_folder, "observations"), "the first part is as it was left"


def test_a_row_stored_with_an_old_seq_before_the_other_was_killed_is_still_looked_for(
    watched: WatchedRun,
) -> None:
    """The last sweep asks for what was stored since the first baseline, not since the second start."""
    watched.send(2)
    with monitor_process(watched) as first:
        first.line()
        watched.do("alter table chat_messages disable trigger user")
        watched.do(
            "insert into chat_messages (chat_id, sender_id, message_text, seq) "
            f"values ('{watched.chat}', '{watched.people[0]}', 'late', 0)"
        )
        watched.do("alter table chat_messages enable trigger user")
        first.process.kill()
        first.process.wait(PATIENCE_S)
    assert watched.changes() == []
    with monitor_process(watched, "--take-over") as second:
        second.line()
        assert second.finish() == 0
    assert watched.part_of_successor().changes() == [("APPEARED", 0)]


def test_a_look_that_the_other_had_not_ended_counts_as_failed_and_its_findings_are_told(
    watched: WatchedRun,
) -> None:
    watched.watch(lambda: watched.send(2), sweep=False)
    path = watched.database_folder / "polls.arrows"
    assert len(watched.table("polls")) == 1
    cut = path.read_bytes()
    # As if it had been killed after it had written the rows, and before it wrote that the look had ended.
    path.write_bytes(cut[: _end_of_schema(cut)])
    with monitor_process(watched, "--take-over") as second:
        second.line()
        assert second.finish() == 0
    part = watched.part_of_successor()
    first = part.table("polls")[0]
    assert (first["poll"], first["rows_new"]) == (0, 2)
    assert "killed" in first["error"]
    assert part.kinds()[0] == "FAILED"
    assert part.changes() == []


def _end_of_schema(stream: bytes) -> int:
    """Where the first message of an Arrow IPC stream ends: continuation mark, length, metadata; a schema has no body."""
    return 8 + int.from_bytes(stream[4:8], "little")


@pytest.mark.parametrize("left", ["nothing", "a baseline that was cut"])
def test_without_a_baseline_there_is_nothing_to_go_on_from(watched: WatchedRun, left: str) -> None:
    if left != "nothing":
        watched.watch(sweep=False)
        path = watched.database_folder / "baseline.arrows"
        path.write_bytes(path.read_bytes()[:100])
    done = watched.target.chatsoak("monitor", "--run", str(watched.folder), "--take-over")
    assert done.returncode == 2
    assert "holds no baseline" in done.stderr
    assert len(monitor_folders(watched.folder)) == 1
