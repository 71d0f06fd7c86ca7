"""Everything that a run recorded, read once into frames that fit in memory: what the judge looks at.

The frames have the columns of `analysis.record.tables`, with these changes:

* ids are codes (int32, -1 = null) of three spaces: people, chats, and messages (which hold message ids and
  client_generated_ids alike). `Evidence.people`, `.chats` and `.messages` turn a code back into its UUID;
* whole numbers that may be null have -1 for null; texts other than messages' are categories;
* a message's text is replaced by ``text_hash`` (64 bits, the same for equal texts within this process) and
  ``text_crc32``; `sent_texts` and `stored_texts` read the words themselves again for the few that matter;
* ``process`` is the number of the load process in `Evidence.parts`, ``clock`` the number of its clock domain:
  times of two rows may be compared only when their ``clock`` is the same;
* ``pages`` has no lists: ``page_rows`` has a row for each message on a page (``page`` = its row in ``pages``);
* ``rows`` is made here: the last known state of every message that the monitor ever saw.

The index of ``sends`` and ``observations`` is their position in the record, over all processes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.errors import RecordError
from analysis.frames import Gathered
from analysis.identifiers import Identifiers, encode, uuid_array
from analysis.record import ProcessRecord, Run, is_complete, iter_batches, read_process, read_run
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES, ObservedChange

DATABASE = "database"  # the monitor's folder beside ``record/``

_PEOPLE = {"user_id", "sender_id"}
_CHATS = {"chat_id"}


class Source(Protocol):
    """Where one process's part of a record comes from."""

    def process(self) -> ProcessRecord | None:
        """What the process said of itself; None when that cannot be read."""

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        """The batches of a table, as far as they can be read."""

    def complete(self, table: str) -> bool:
        """Whether the table was closed in good order."""


@dataclass(frozen=True, slots=True)
class ProcessPart:
    """One process's part of the record, and how whole it is.

    Attributes:
        clock: number of its clock domain; a part that says nothing of its clocks has one of its own.
        rows: rows read, by table.
        unfinished: tables without the mark of a good end.
        expected: ``run.json`` names the process.
    """

    name: str
    clock: int
    process: ProcessRecord | None
    rows: dict[str, int]
    unfinished: tuple[str, ...]
    expected: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run as it was recorded. See the module's text for the columns of the frames."""

    run: Run
    parts: tuple[ProcessPart, ...]  # the load processes, by their number
    database: ProcessPart
    people: Identifiers
    chats: Identifiers
    messages: Identifiers
    participants: pd.DataFrame  # chat_id, user_id: who is in which chat of the run
    sends: pd.DataFrame
    events: pd.DataFrame
    sockets: pd.DataFrame
    marks: pd.DataFrame
    pages: pd.DataFrame
    page_rows: pd.DataFrame  # page, seq, message_id; in the order answered
    calls: pd.DataFrame
    generator: pd.DataFrame
    baseline: pd.DataFrame
    observations: pd.DataFrame
    polls: pd.DataFrame
    gauges: pd.DataFrame
    rows: pd.DataFrame  # as observations, with first_at_ns, first_poll, gone; one row a message
    _sources: tuple[Source, ...] = field(repr=False)
    _monitor: Source = field(repr=False)

    def sent_texts(self, positions: Iterable[int]) -> dict[int, str | None]:
        """The texts of these sends, by their position in ``sends``; read again from the record."""
        return _texts(self._sources, "sends", positions)

    def stored_texts(self, positions: Iterable[int]) -> dict[int, str | None]:
        """The texts of these observations, by their position in ``observations``; read again from the record."""
        return _texts((self._monitor,), "observations", positions)


def read_evidence(folder: Path) -> Evidence:
    """Read the run that lies in `folder`, e.g. ``reports/latest``; parts that are missing or cut are noted.

    Raises:
        RecordError: `folder` holds no run, or one that another version wrote.
    """
    run = read_run(folder)
    record = folder / "record"
    found = {path.name for path in record.iterdir() if path.is_dir()} if record.is_dir() else set()
    names = sorted(found | set(run.processes))
    sources = {name: _Folder(record / name, LOAD_TABLES) for name in names}
    return assemble(run, sources, _Folder(folder / DATABASE, DATABASE_TABLES))


def assemble(run: Run, sources: Mapping[str, Source], monitor: Source) -> Evidence:
    """The evidence of `run` from the parts of its record, wherever they come from."""
    clocks: dict[str, int] = {}
    load = {name: Gathered(schema) for name, schema in LOAD_TABLES.items()}
    parts = []
    for number, (name, source) in enumerate(sources.items()):
        part = _gather(name, source, load, number, clocks, expected=name in run.processes)
        parts.append(part)
    stored = {name: Gathered(schema) for name, schema in DATABASE_TABLES.items()}
    database = _gather("monitor", monitor, stored, 0, clocks, expected=True)

    tables = load | stored
    chat_pieces = {"run": [uuid_array(chat.id for chat in run.chats)]}
    people_pieces = {"run": [uuid_array(user for chat in run.chats for user in chat.participants)]}
    message_pieces: dict[str, list[pa.Array]] = {}
    for name, gathered in tables.items():
        for column, pieces in gathered.take_ids().items():
            kind = people_pieces if column in _PEOPLE else chat_pieces if column in _CHATS else message_pieces
            kind[f"{name}.{column}"] = pieces
    chats, chat_codes = encode(chat_pieces)
    people, person_codes = encode(people_pieces)
    messages, message_codes = encode(message_pieces)
    codes = chat_codes | person_codes | message_codes
    sizes = [len(chat.participants) for chat in run.chats]
    participants = pd.DataFrame(
        {"chat_id": np.repeat(chat_codes["run"], sizes), "user_id": person_codes["run"]}, copy=False
    ).drop_duplicates(ignore_index=True)
    page_rows = tables["pages"].page_rows(codes["pages.message_ids"])
    frames = {
        name: gathered.frame({column: codes.pop(f"{name}.{column}") for column in gathered.id_columns})
        for name, gathered in tables.items()
    }
    return Evidence(
        run=run,
        parts=tuple(parts),
        database=database,
        people=people,
        chats=chats,
        messages=messages,
        participants=participants,
        page_rows=page_rows,
        rows=final_rows(frames["observations"]),
        **frames,
        _sources=tuple(sources.values()),
        _monitor=monitor,
    )


def final_rows(observations: pd.DataFrame) -> pd.DataFrame:
    """The last known state of each message, in the order in which they were first seen.

    ``gone`` says that it was no longer there at the last look; its other columns are then as last seen.
    ``observation`` is the position of the observation that they are from.
    """
    messages = observations["message_id"].to_numpy()
    first = ~pd.Series(messages).duplicated(keep="first").to_numpy()
    last = ~pd.Series(messages).duplicated(keep="last").to_numpy()
    there = np.flatnonzero(observations["change"].to_numpy() != ObservedChange.GONE)
    last_there = there[~pd.Series(messages[there]).duplicated(keep="last").to_numpy()]
    never_there = np.setdiff1d(messages[last], messages[last_there])
    only_gone = np.flatnonzero(last & np.isin(messages, never_there))
    rows = observations.iloc[np.concatenate([last_there, only_gone])]
    rows = rows.drop(columns=["change", "poll", "at_ns"]).rename_axis("observation").reset_index()
    of = pd.DataFrame(
        {
            "message_id": messages[first],
            "first_at_ns": observations["at_ns"].to_numpy()[first],
            "first_poll": observations["poll"].to_numpy()[first],
        }
    )
    gone = messages[last & (observations["change"].to_numpy() == ObservedChange.GONE)]
    rows = of.merge(rows, on="message_id", how="left", sort=False)
    return rows.assign(gone=np.isin(rows["message_id"].to_numpy(), gone))


_ROWS_AT_ONCE = 65_536  # batches are joined up to this many rows: fewer and larger steps, still little memory


def _gather(
    name: str,
    source: Source,
    tables: Mapping[str, Gathered],
    number: int,
    clocks: dict[str, int],
    *,
    expected: bool,
) -> ProcessPart:
    process = source.process()
    domain = process.info.clock_domain if process else f"unknown/{name}"
    clock = clocks.setdefault(domain, len(clocks))
    rows = dict.fromkeys(tables, 0)
    for table, gathered in tables.items():
        for joined in _joined(source.batches(table)):
            gathered.add(joined, number, clock)
            rows[table] += len(joined)
    unfinished = tuple(table for table in tables if not source.complete(table))
    return ProcessPart(name, clock, process, rows, unfinished, expected)


def _joined(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The batches as fewer, larger tables."""
    some: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        some.append(batch)
        rows += len(batch)
        if rows >= _ROWS_AT_ONCE:
            yield pa.Table.from_batches(some)
            some, rows = [], 0
    if rows:
        yield pa.Table.from_batches(some)


def _texts(sources: Sequence[Source], table: str, positions: Iterable[int]) -> dict[int, str | None]:
    wanted = np.unique(np.fromiter(positions, np.int64))
    found: dict[int, str | None] = {}
    start = 0
    for source in sources:
        for batch in source.batches(table):
            inside = wanted[(wanted >= start) & (wanted < start + len(batch))]
            for position in inside.tolist():
                found[position] = batch["text"][position - start].as_py()
            start += len(batch)
    return found


class _Folder:
    """A part that lies in a folder."""

    def __init__(self, path: Path, schemas: Mapping[str, pa.Schema]) -> None:
        self._path = path
        self._schemas = schemas

    def process(self) -> ProcessRecord | None:
        try:
            return read_process(self._path)
        except RecordError:  # record.complete tells of it
            return None

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        return iter_batches(self._path, table, self._schemas[table])

    def complete(self, table: str) -> bool:
        return is_complete(self._path, table)
