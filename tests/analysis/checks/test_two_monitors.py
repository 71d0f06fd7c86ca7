"""Promise: the part of a monitor that was killed and that of its successor are one history, and vouch for the run as one."""

import json
import shutil
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.evidence import Evidence, read_evidence
from analysis.record import ProcessInfo, RecordWriter, monitor_folder
from analysis.record.codes import PollKind
from analysis.record.tables import DATABASE_TABLES
from tests.analysis.histories import History

Rows = dict[str, list[tuple[Any, ...]]]
FRAMES = [field.name for field in fields(Evidence) if field.type is pd.DataFrame]


def watched(until: float = 30.0) -> History:
    """Six messages in one chat, seen one by one; looks at every second."""
    run = History(people=2)
    chat = run.chat(0, 1)
    for seq in range(1, 7):
        message = run.send(0, chat, at=float(seq), seq=seq)
        run.poll(seq + 0.5)
        run.observe(message, seq + 0.5)
        run.deliver(message)
    at = 7.5
    while (at := at + 1) < until:
        run.poll(at)
    run.finish(until)
    return run


def write(run: History, folder: Path, parts: int, *, closed: bool = True) -> None:
    """The run as a record of which the monitors' tables are cut in two after the fourth look; all but the last of `parts`
    was killed, and that one too if it is not `closed`."""
    tables = {table: run.rows[table] for table in DATABASE_TABLES}
    cuts = {table: 4 if table in {"polls", "observations"} else len(rows) for table, rows in tables.items()}
    written: list[Rows] = [
        {table: rows[: cuts[table]] for table, rows in tables.items()},
        {table: rows[cuts[table] :] for table, rows in tables.items()},
    ]
    write_parts(run, folder, written[:parts], closed=closed)


def write_parts(run: History, folder: Path, parts: list[Rows], *, closed: bool = True) -> None:
    """The run as a record with these parts of its monitors, of which all but the last were killed."""
    run.write(folder)
    shutil.rmtree(monitor_folder(folder))
    for number, part in enumerate(parts):
        writer = RecordWriter(
            monitor_folder(folder, successor=number > 0), DATABASE_TABLES, ProcessInfo.here("monitor")
        )
        for table, rows in part.items():
            for row in rows:
                writer.adder(table)(row)
        writer.flush()
        if closed and number == len(parts) - 1:
            writer.close()


def killed_within_a_look() -> tuple[History, list[Rows]]:
    """The first monitor was killed when it had written down a row of its fourth look, and not yet the end of that look; the
    second says of it that it failed, and how many rows of it the first had written down."""
    run = watched()
    new = DATABASE_TABLES["polls"].names.index("rows_new")
    seen = Counter(row[0] for row in run.rows["observations"])
    polls = [(*row[:new], seen[row[0]], *row[new + 1 :]) for row in run.rows["polls"]]
    failed = (3, PollKind.FAILED, *polls[3][2:new], 1, 0, 0, "the monitor was killed during this look", None)
    observations = run.rows["observations"]
    first: Rows = {table: run.rows[table] for table in DATABASE_TABLES}
    first |= {"polls": polls[:3], "observations": observations[:4]}
    second: Rows = {"polls": [failed, *polls[4:]], "observations": observations[4:]}
    return run, [first, second]


def monitor(evidence: Evidence) -> Criterion:
    (found,) = (one for one in audit(evidence, 5).criteria if one.id == "monitor.complete")
    return found


def test_both_parts_are_one_history(tmp_path: Path) -> None:
    run = watched()
    whole = read_evidence(run.write(tmp_path / "whole"))
    write(run, tmp_path / "cut", 2)
    joined = read_evidence(tmp_path / "cut")
    for name in FRAMES:
        one, other = getattr(joined, name), getattr(whole, name)
        drop = [column for column in ("process", "clock") if column in one.columns]
        assert_frame_equal(one.drop(columns=drop), other.drop(columns=drop), obj=name)
    assert [part.name for part in joined.monitors] == ["monitor", "monitor 2"]
    assert joined.database is joined.monitors[1]
    everything = range(len(joined.observations))
    assert joined.stored_texts(everything) == whole.stored_texts(everything)
    assert len(set(joined.observations["clock"])) == 1


def test_a_monitor_that_was_relieved_vouches_for_the_run_and_the_restart_is_said(tmp_path: Path) -> None:
    write(watched(), tmp_path, 2)
    evidence = read_evidence(tmp_path)
    found = monitor(evidence)
    assert (found.outcome, found.observed, found.facts["restarts"]) == (Verdict.PASS, 0, 1)
    assert found.reason is not None
    assert "was started once more" in found.reason
    assert {one.id for one in audit(evidence, 5).criteria if one.outcome is Verdict.FAIL} == set()


def test_rows_of_a_look_that_the_first_could_not_end_are_there_though_the_second_counts_them(
    tmp_path: Path,
) -> None:
    run, parts = killed_within_a_look()
    write_parts(run, tmp_path, parts)
    found = {one.id: one for one in audit(read_evidence(tmp_path), 5).criteria}
    assert found["monitor.complete"].outcome is Verdict.PASS, found["monitor.complete"].reason
    assert found["messages.lost"].outcome is Verdict.PASS, found["messages.lost"].reason


@pytest.mark.parametrize("part", [0, 1])
def test_rows_that_a_part_counts_and_has_not_are_missed(tmp_path: Path, part: int) -> None:
    run, parts = killed_within_a_look()
    assert parts[part]["observations"].pop(0)
    write_parts(run, tmp_path, parts)
    found = monitor(read_evidence(tmp_path))
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "last look after the drain is missing" in (found.reason or "")


@pytest.mark.parametrize(("parts", "name"), [(1, "Monitor"), (2, "Monitor 2")])
def test_one_that_nobody_relieved_does_not(tmp_path: Path, parts: int, name: str) -> None:
    write(watched(), tmp_path, parts, closed=False)
    found = monitor(read_evidence(tmp_path))
    assert found.outcome is Verdict.INCONCLUSIVE
    assert f"{name} was cut off and did not close its record" in (found.reason or "")


def test_one_that_could_not_write_all_before_it_was_killed_does_not(tmp_path: Path) -> None:
    write(watched(), tmp_path, 2)
    file = monitor_folder(tmp_path) / "process.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"lost_rows": True}), "utf-8")
    found = monitor(read_evidence(tmp_path))
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "Monitor was cut off and did not close its record, of which it could not write all" in (
        found.reason or ""
    )


def test_one_that_left_no_word_of_itself_does_not_either(tmp_path: Path) -> None:
    write(watched(), tmp_path, 2)
    (monitor_folder(tmp_path) / "process.json").unlink()
    found = monitor(read_evidence(tmp_path))
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "Monitor left no record" in (found.reason or "")


def test_the_time_between_the_two_is_judged_as_any_without_a_look(tmp_path: Path) -> None:
    run = watched(until=60.0)
    polls = run.rows["polls"]
    run.rows["polls"] = [*polls[:4], *polls[-1:]]  # nobody looked from 4.5 s to the sweep
    assert PollKind(polls[-1][1]) is PollKind.SWEEP
    write(run, tmp_path, 2)
    found = monitor(read_evidence(tmp_path))
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "did not look for 56.5 s" in (found.reason or "")
