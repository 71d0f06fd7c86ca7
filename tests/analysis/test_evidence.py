"""Promise: the judge sees what was recorded, row by row, wherever it lay, and is told what is missing."""

import shutil
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis.errors import RecordError
from analysis.evidence import Evidence, final_rows, read_evidence
from analysis.record import ProcessInfo, RecordWriter, Run
from analysis.record.codes import AttemptKind, EventType, MarkKind, ObservedChange, Outcome, PollKind, Status
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES
from tests.analysis.histories import History, ns

FRAMES = [field.name for field in fields(Evidence) if field.type is pd.DataFrame]
APPEARED, CHANGED, GONE = ObservedChange
ELSEWHERE = ProcessInfo("worker-1", 1, "elsewhere", "boot", 1, 1)


def busy(messages: int) -> History:
    """A run with rows in every table, in which some sends fail, rows vanish and cells are null."""
    run = History(people=3)
    chats = run.chat(0, 1), run.chat(0, 1, 2, baseline=5)
    for number in range(messages):
        sender, chat, at = number % 2, chats[number % 3 == 0], 1.0 + number / 10
        if number % 7 == 3:
            run.send(sender, chat, at, outcome=Outcome.INFO if number % 2 else Outcome.FAIL)
            continue
        message = run.send(sender, chat, at, seq=number + 1, text=f"{number} 👋🏽")
        run.store(message)
        run.deliver(message)
        run.mark(1 - sender, chat, at + 0.3, kind=MarkKind.READ, up_to_seq=number + 1)
        run.status(message, Status.OTHER if number % 11 == 4 else Status.READ, at + 0.6)
        run.event(message, sender, at + 0.7, type=EventType.UPDATE, status=Status.READ)
        if number % 5 == 1:
            run.repeat(message, at + 0.8)
            run.page(sender, chat, at, run.messages[-3:], before_seq=None if number % 2 else number)
        if number % 13 == 5:
            run.poll(at + 0.9)
            run.observe(message, at + 0.9, change=GONE, keyed=False)
        run.gauge("connections.active", at, 1.5 * number)
        run.wait(at)
        run.statement(at, str(number), number, 1.5, query=None if number % 2 else f"select {number}")
        run.leave_out("slots", "permission denied", at)
        run.member(2, chats[1], at, there=number % 2 == 0)
        run.plan(error="timeout" if number % 2 else None)
    run.page(0, chats[0], 90.0, [])
    run.attempt(2, chats[0], 90.0, AttemptKind.SEND)
    run.attempt(2, chats[0], 90.5, AttemptKind.READ, outcome=Outcome.OK, got=0)
    run.poll(91.0, PollKind.FAILED)
    run.rows["calls"].append((None, "sign-in", ns(0.1), ns(0.2), Outcome.OK, 200, None))
    run.rows["calls"].append((run.person_id(0).bytes, "refresh", ns(5), ns(6), Outcome.INFO, 0, "time-out"))
    run.rows["clocks"].append((ns(1), -5, 3, "elsewhere"))
    run.fare(1, users=3, cpu_share=0.25, rss_bytes=1 << 33, loop_lag_ms=None, buffered_rows=7)
    run.stall(1.0, 1.25, 3.5)
    run.no_slot_was_free(1.0, 1.5)
    run.finish()
    return run


def write_part(
    folder: Path, info: ProcessInfo, rows: Mapping[str, Iterable[tuple[Any, ...]]], batch: int = 100
) -> None:
    """A load process's part, flushed after each `batch` rows."""
    writer = RecordWriter(folder / "record" / info.name, LOAD_TABLES, info)
    for table, of_table in rows.items():
        add = writer.adder(table)
        for number, row in enumerate(of_table, 1):
            add(row)
            if number % batch == 0:
                writer.flush()
    writer.close()


def run_of(history: History, *processes: str) -> Run:
    return replace(history.run(), processes=list(processes))


def decoded(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """The frames with messages' UUIDs in place of their codes, which depend on the order of reading."""
    frames = {name: getattr(evidence, name) for name in FRAMES}
    return {
        name: frame.assign(
            **{
                column: frame[column].map(evidence.messages.text)
                for column in frame.columns.intersection(["message_id", "client_generated_id"])
            }
        )
        for name, frame in frames.items()
    }


@pytest.mark.parametrize("messages", [0, 20, 1500])  # none, one batch a table, many
def test_what_was_written_is_read_back_frame_by_frame(tmp_path: Path, messages: int) -> None:
    history = busy(messages)
    in_memory, read = history.evidence(), read_evidence(history.write(tmp_path))
    assert {"sends", "page_rows", "observations", "rows", "participants"} < set(FRAMES)
    for name in FRAMES:
        assert_frame_equal(getattr(in_memory, name), getattr(read, name), obj=name)
        assert messages == 0 or len(getattr(read, name)) > 0
    assert read.run == in_memory.run
    for codes in ("people", "chats", "messages"):
        one, other = getattr(in_memory, codes), getattr(read, codes)
        assert [one.text(code) for code in range(len(one))] == [
            other.text(code) for code in range(len(other))
        ]
    for part, wanted in ((read.parts[0], in_memory.parts[0]), (read.database, in_memory.database)):
        assert replace(part, process=None) == replace(wanted, process=None)
        assert part.process is not None
        assert part.process.counts == part.rows == {name: len(history.rows[name]) for name in part.rows}


def test_it_does_not_matter_in_how_many_pieces_a_record_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = busy(1500).write(tmp_path)
    at_once = decoded(read_evidence(folder))
    monkeypatch.setattr("analysis.evidence._ROWS_AT_ONCE", 100)
    monkeypatch.setattr("analysis.frames.IDS_AT_ONCE", 700)
    in_pieces = decoded(read_evidence(folder))
    for name in FRAMES:
        assert_frame_equal(at_once[name], in_pieces[name], obj=name)


def test_a_send_is_read_as_it_was_recorded() -> None:
    history = History()
    chat = history.chat(0, 1)
    sent = history.send(1, chat, at=1.0, seq=7, text="שלום")
    history.send(0, chat, at=2.0, outcome=Outcome.FAIL)
    evidence = history.evidence()
    first, second = (row for _, row in evidence.sends.iterrows())
    assert evidence.people.text(first["user_id"]) == str(history.person_id(1))
    assert evidence.chats.text(first["chat_id"]) == str(history.chat_id(chat))
    assert evidence.messages.text(first["client_generated_id"]) == str(sent.client_id)
    assert evidence.messages.text(first["message_id"]) == str(sent.id)
    assert (first["left_ns"], first["answered_ns"]) == (ns(1.0), ns(1.1))
    assert (first["seq"], first["status_code"], first["outcome"]) == (7, 201, Outcome.OK)
    assert first["text_crc32"] == zlib.crc32("שלום".encode())
    assert pd.isna(first["error"])
    assert (second["seq"], second["message_id"]) == (-1, -1)
    assert evidence.messages.text(second["message_id"]) is None
    assert second["error"] == "the server said FAIL"


def test_an_id_has_one_code_in_every_table() -> None:
    history = busy(20)
    evidence = history.evidence()
    for message in history.messages:
        if message.seq is None:
            continue
        of_send = evidence.sends.loc[evidence.sends["seq"] == message.seq, "message_id"].unique()
        of_row = evidence.rows.loc[evidence.rows["seq"] == message.seq, "message_id"].unique()
        of_event = evidence.events.loc[evidence.events["seq"] == message.seq, "message_id"].unique()
        assert [*of_send] == [*of_row] == [*of_event]
        assert evidence.messages.text(of_send[0]) == str(message.id)


def test_pages_keep_their_order_and_name_every_message() -> None:
    history = History()
    chat = history.chat(0, 1)
    sent = [history.send(0, chat, at=1.0 + n, seq=n) for n in (1, 2, 3)]
    history.page(1, chat, 5.0, [sent[2], sent[0]])
    history.page(1, chat, 6.0, [])
    history.page(0, chat, 7.0, [sent[1]])
    evidence = history.evidence()
    found = evidence.page_rows.assign(id=evidence.page_rows["message_id"].map(evidence.messages.text))
    assert found[["page", "seq", "id"]].to_numpy().tolist() == [
        [0, 3, str(sent[2].id)],
        [0, 1, str(sent[0].id)],
        [2, 2, str(sent[1].id)],
    ]


def test_a_page_has_as_many_messages_as_it_has_ids_or_seqs() -> None:
    history = History()
    chat = history.chat(0, 1)
    history.page(1, chat, 5.0, [])
    (row,) = history.rows["pages"]
    ids = [history.new_id().bytes for _ in range(3)]
    senders = [history.person_id(number).bytes for number in (1, 0)]
    for lists in (
        ([1, 2], ids[:1], None, None, None),
        (None, ids[1:], [senders[0], None], [2**32 - 1], [Status.READ, None]),
        ([3, None], None, senders, [None, 7], None),
        (None, None, None, None, [Status.NULL]),
    ):
        history.rows["pages"].append((*row[:-5], *lists))
    found = history.evidence().page_rows
    assert found["page"].tolist() == [1, 1, 2, 2, 3, 3, 4]
    assert found["seq"].tolist() == [1, 2, -1, -1, 3, -1, -1]
    assert found["message_id"].tolist() == [0, -1, 1, 2, -1, -1, -1]
    assert found["text_crc32"].tolist() == [-1, -1, 2**32 - 1, -1, -1, 7, -1]
    assert found["status"].tolist() == [-1, -1, Status.READ, -1, -1, -1, Status.NULL]
    named = [history.evidence().people.text(code) for code in found["sender_id"]]
    person = [str(history.person_id(number)) for number in range(2)]
    assert named == [None, None, person[1], None, person[1], person[0], None]


def test_a_process_that_left_no_record_is_noted(tmp_path: Path) -> None:
    history = busy(3)
    folder = history.write(tmp_path)
    run_of(history, "local", "worker-1", "worker-2").write(folder)
    evidence = read_evidence(folder)
    local, missing, another = evidence.parts
    assert (missing.name, missing.process, missing.expected) == ("worker-1", None, True)
    assert missing.unfinished == tuple(LOAD_TABLES)
    assert missing.rows == dict.fromkeys(LOAD_TABLES, 0)
    assert missing.clock not in {local.clock, another.clock, evidence.database.clock}
    assert local.unfinished == ()


def test_nothing_but_run_json_is_evidence_of_nothing(tmp_path: Path) -> None:
    busy(3).run().write(tmp_path)
    evidence = read_evidence(tmp_path)
    assert [part.process for part in evidence.parts] == [None]
    assert evidence.database.process is None
    assert evidence.database.unfinished == tuple(DATABASE_TABLES)
    assert all(len(getattr(evidence, name)) == 0 for name in FRAMES if name != "participants")
    assert len(evidence.participants) == 5


def test_processes_that_nobody_expected_are_read_and_their_clocks_told_apart(tmp_path: Path) -> None:
    history = busy(3)
    folder = history.write(tmp_path)
    write_part(folder, ELSEWHERE, {"sends": history.rows["sends"]})
    write_part(folder, replace(ELSEWHERE, name="worker-2"), {"sends": history.rows["sends"]})
    evidence = read_evidence(folder)
    assert [(part.name, part.expected) for part in evidence.parts] == [
        ("local", True), ("worker-1", False), ("worker-2", False),
    ]  # fmt: skip
    # Three messages, one of them sent twice.
    assert evidence.sends["process"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert evidence.sends["clock"].tolist() == [0] * 4 + [1] * 8
    assert evidence.database.clock == 0


def test_a_cut_table_is_noted_and_the_rest_is_read(tmp_path: Path) -> None:
    history = busy(1000)
    folder = history.write(tmp_path)
    path = folder / "record" / "local" / "sends.arrows"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 20)
    whole, evidence = history.evidence(), read_evidence(folder)
    (part,) = evidence.parts
    assert part.unfinished == ("sends",)
    assert 0 < part.rows["sends"] < len(history.rows["sends"])
    assert_frame_equal(
        evidence.sends[["user_id", "seq", "left_ns", "text_hash"]],
        whole.sends[["user_id", "seq", "left_ns", "text_hash"]].head(part.rows["sends"]),
    )
    assert_frame_equal(evidence.events[["seq", "received_ns"]], whole.events[["seq", "received_ns"]])


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    folder = busy(1).write(tmp_path / "run")
    (folder / "run.json").unlink()
    with pytest.raises(RecordError, match=r"run\.json is missing"):
        read_evidence(folder)


def test_a_table_of_another_version_is_refused(tmp_path: Path) -> None:
    folder = busy(1).write(tmp_path / "run")
    shutil.copy(folder / "record/local/calls.arrows", folder / "record/local/sends.arrows")
    with pytest.raises(RecordError, match="holds other columns"):
        read_evidence(folder)


TEXTS = st.lists(st.none() | st.text(max_size=5), max_size=8)


@settings(deadline=None, max_examples=25)
@given(TEXTS, TEXTS, st.integers(1, 4), st.data())
def test_texts_are_read_back_by_position(
    of_local: list[str | None], of_worker: list[str | None], batch: int, data: st.DataObject
) -> None:
    texts = [*of_local, *of_worker]
    positions = data.draw(st.lists(st.sampled_from(range(len(texts))))) if texts else []
    history = History()
    chat = history.chat(0, 1)
    template = history.send(0, chat, at=1.0)
    (row,) = history.rows["sends"]
    place = row.index(template.text)

    def sends(of_one: list[str | None]) -> list[tuple[Any, ...]]:
        return [(*row[:place], text, *row[place + 1 :]) for text in of_one]

    with TemporaryDirectory() as name:
        folder = Path(name)
        run_of(history, "local", "worker-1").write(folder)
        write_part(folder, ProcessInfo.here("local"), {"sends": sends(of_local)}, batch)
        write_part(folder, ELSEWHERE, {"sends": sends(of_worker)}, batch)
        evidence = read_evidence(folder)
        assert evidence.sent_texts(positions) == {position: texts[position] for position in positions}
    # The same positions are those of the frame.
    assert evidence.sends["text_crc32"].tolist() == [
        -1 if text is None else zlib.crc32(text.encode()) for text in texts
    ]


def test_stored_texts_are_those_of_the_observations(tmp_path: Path) -> None:
    history = busy(1000)
    evidence = read_evidence(history.write(tmp_path))
    text = list(DATABASE_TABLES["observations"].names).index("text")
    wanted = {place: row[text] for place, row in enumerate(history.rows["observations"]) if place % 97 == 0}
    assert evidence.stored_texts(wanted) == wanted
    assert evidence.stored_texts([]) == {}


Step = tuple[int, ObservedChange, int]  # message, what was found, status

STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(ObservedChange), st.integers(0, 4)), max_size=30
)


def final_states(steps: list[Step]) -> list[dict[str, int]]:
    """What `final_rows` should say, a look after another."""
    messages: dict[int, dict[str, int]] = {}
    for position, (message, change, status) in enumerate(steps):
        known = messages.setdefault(
            message,
            {"message_id": message, "first_at_ns": 10 * position, "first_poll": position // 3, "gone": True},
        )
        known["gone"] = change is GONE
        only_gone = known.get("change", GONE) is GONE
        if change is not GONE or only_gone:
            known.update(observation=position, status=status, change=change)
    return [{name: value for name, value in row.items() if name != "change"} for row in messages.values()]


@settings(deadline=None, max_examples=200)
@given(STEPS)
@example([])
@example([(0, GONE, 1)])
@example([(0, APPEARED, 1), (0, GONE, 2), (0, APPEARED, 3)])
@example([(1, APPEARED, 1), (0, APPEARED, 1), (1, CHANGED, 2), (1, GONE, 3)])
def test_the_last_known_state_of_each_message(steps: list[Step]) -> None:
    observations = pd.DataFrame(
        {
            "poll": np.arange(len(steps), dtype=np.int32) // 3,
            "change": np.array([int(change) for _, change, _ in steps], np.int8),
            "at_ns": np.arange(len(steps), dtype=np.int64) * 10,
            "message_id": np.array([message for message, _, _ in steps], np.int32),
            "status": np.array([status for _, _, status in steps], np.int8),
        }
    )
    rows = final_rows(observations)
    assert set(rows.columns) == {
        "message_id", "first_at_ns", "first_poll", "observation", "status", "gone",
    }  # fmt: skip
    assert rows.to_dict("records") == final_states(steps)
