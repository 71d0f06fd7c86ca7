"""Everything that a run recorded, read once into frames that fit in memory: what the judge looks at.

The frames have the columns of `analysis.record.tables`, with these changes:

* ids are codes (int32, -1 = null) of three spaces: people, chats, and messages (which hold message ids and
  client_generated_ids alike). `Evidence.people`, `.chats` and `.messages` turn a code back into its UUID;
* whole numbers that may be null have -1 for null; texts other than messages' are categories;
* a message's text is replaced by ``text_hash`` (64 bits, the same for equal texts within this process; -1 for null
  alone) and ``text_crc32``; `sent_texts` and `stored_texts` read the words themselves again for the few that matter;
* ``process`` is the number of the load process in `Evidence.parts`, ``clock`` the number of its clock domain:
  times of two rows may be compared only when their ``clock`` is the same, or through `analysis.clocks`;
* ``pages`` has no lists: ``page_rows`` has a row for each message on a page (``page`` = its row in ``pages``);
* ``rows`` is made here: the last known state of every message that the monitor ever saw.

The index of ``sends`` and ``observations`` is their position in the record, over all processes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analysis.errors import RecordError
from analysis.frames import Gathered, Spaces
from analysis.identifiers import Codes, Identifiers, uuid_array
from analysis.record import (
    ProcessRecord,
    Run,
    is_complete,
    iter_batches,
    monitor_folders,
    read_process,
    read_run,
)
from analysis.record.codes import ObservedChange
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES


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

    def lost_rows_of(self, *tables: str) -> bool:
        """Whether the process could not write all rows of these tables, or of any it cannot say which: the disk was full, say.

        From what is absent in them nothing follows. (The tables of a process that was killed just end early.)
        """
        if self.process is None:
            return False
        if not self.process.closed:
            return self.process.lost_rows
        counted, dropped = self.process.counts, self.process.dropped
        return any(dropped.get(table, 0) or self.rows[table] < counted.get(table, 0) for table in tables)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run as it was recorded. See the module's text for the columns of the frames."""

    run: Run
    parts: tuple[ProcessPart, ...]  # the load processes, by their number
    monitors: tuple[ProcessPart, ...]  # one, or several of which each took over from the one before it
    people: Identifiers
    chats: Identifiers
    messages: Identifiers
    participants: pd.DataFrame  # chat_id, user_id: who is in which chat of the run
    sends: pd.DataFrame
    events: pd.DataFrame
    sockets: pd.DataFrame
    marks: pd.DataFrame
    pages: pd.DataFrame
    page_rows: pd.DataFrame  # page, seq, message_id, sender_id, text_crc32, status; in the order answered
    calls: pd.DataFrame
    attempts: pd.DataFrame
    generator: pd.DataFrame
    clocks: pd.DataFrame
    stalls: pd.DataFrame
    slots_taken: pd.DataFrame
    baseline: pd.DataFrame
    memberships: pd.DataFrame
    observations: pd.DataFrame
    polls: pd.DataFrame
    gauges: pd.DataFrame
    waits: pd.DataFrame
    statements: pd.DataFrame
    indexes: pd.DataFrame
    plans: pd.DataFrame
    left_out: pd.DataFrame
    rows: pd.DataFrame  # as observations, with first_at_ns, first_poll, gone; one row a message
    _sources: tuple[Source, ...] = field(repr=False)
    _watched: tuple[Source, ...] = field(repr=False)

    @property
    def database(self) -> ProcessPart:
        """The part of the monitor that was there at the end."""
        return self.monitors[-1]

    def sent_texts(self, positions: Iterable[int]) -> dict[int, str | None]:
        """The texts of these sends, by their position in ``sends``; read again from the record."""
        return _texts(self._sources, "sends", positions)

    def stored_texts(self, positions: Iterable[int]) -> dict[int, str | None]:
        """The texts of these observations, by their position in ``observations``; read again from the record."""
        return _texts(self._watched, "observations", positions)


def read_evidence(folder: Path, only: Collection[str] | None = None) -> Evidence:
    """Read the run that lies in `folder`, e.g. ``reports/latest``; parts that are missing or cut are noted.

    Args:
        only: tables to read; the others stay empty. None = all.

    Raises:
        RecordError: `folder` holds no run, or one that another version wrote.
    """
    run = read_run(folder)
    record = folder / "record"
    found = {path.name for path in record.iterdir() if path.is_dir()} if record.is_dir() else set()
    names = sorted(found | set(run.processes))
    sources = {name: _Folder(record / name, LOAD_TABLES) for name in names}
    watched = [_Folder(path, DATABASE_TABLES) for path in monitor_folders(folder)]
    return assemble(run, sources, *watched, only=only)


def assemble(
    run: Run, sources: Mapping[str, Source], *watched: Source, only: Collection[str] | None = None
) -> Evidence:
    """The evidence of `run` from the parts of its record, wherever they come from.

    Args:
        watched: the monitor's part; of several, each took over from the one before it.
        only: as of `read_evidence`.
    """
    clocks: dict[str, int] = {}
    parts = [
        _part(name, source, clocks, LOAD_TABLES, name in run.processes) for name, source in sources.items()
    ]
    monitors = [
        _part("monitor" if not number else f"monitor {number + 1}", source, clocks, DATABASE_TABLES, True)
        for number, source in enumerate(watched)
    ]
    spaces = Spaces()
    participants = _participants(run, spaces)
    frames = {}
    page_rows = pd.DataFrame()
    for name, schema in (LOAD_TABLES | DATABASE_TABLES).items():
        writers = (
            zip(monitors, watched, strict=True)
            if name in DATABASE_TABLES
            else zip(parts, sources.values(), strict=True)
        )
        gathered = Gathered(schema, spaces)
        for number, (part, source) in enumerate(writers):
            if only is not None and name not in only:
                continue
            for rows in _joined(source.batches(name)):
                gathered.add(rows, number, part.clock)
                part.rows[name] += len(rows)
        if name == "pages":
            page_rows = gathered.page_rows()
        frames[name] = gathered.frame()
        _give_back()
    return Evidence(
        run=run,
        parts=tuple(parts),
        monitors=tuple(monitors),
        people=spaces.people,
        chats=spaces.chats,
        messages=spaces.messages,
        participants=participants,
        page_rows=page_rows,
        rows=final_rows(frames["observations"]),
        **frames,
        _sources=tuple(sources.values()),
        _watched=watched,
    )


def final_rows(observations: pd.DataFrame) -> pd.DataFrame:
    """The last known state of each message, in the order in which they were first seen.

    ``gone`` says that it was no longer there at the last look; its other columns are then as last seen.
    ``observation`` is the position of the observation that they are from.
    """
    messages = observations["message_id"].to_numpy()
    change = observations["change"].to_numpy()
    first, last = _first(messages), _first(messages[::-1])[::-1]
    there = np.flatnonzero(change != ObservedChange.GONE)
    last_there = there[_first(messages[there][::-1])[::-1]]
    was_there = np.zeros(len(messages) and int(messages.max()) + 1, np.bool_)
    was_there[messages[last_there]] = True
    only_gone = np.flatnonzero(last & ~was_there[messages])
    rows = observations.iloc[np.concatenate([last_there, only_gone])]
    rows = rows.drop(columns=["change", "poll", "at_ns"]).rename_axis("observation").reset_index()
    of = pd.DataFrame(
        {
            "message_id": messages[first],
            "first_at_ns": observations["at_ns"].to_numpy()[first],
            "first_poll": observations["poll"].to_numpy()[first],
        }
    )
    is_gone = np.zeros(len(was_there), np.bool_)
    is_gone[messages[last & (change == ObservedChange.GONE)]] = True
    rows = of.merge(rows, on="message_id", how="left", sort=False)
    return rows.assign(gone=is_gone[rows["message_id"].to_numpy()])


def _first(codes: Codes) -> NDArray[np.bool_]:
    """Where each code stands for the first time."""
    return ~pd.Series(codes).duplicated().to_numpy()


_ROWS_AT_ONCE = 65_536  # batches are joined up to this many rows: fewer and larger steps, still little memory


def _part(
    name: str, source: Source, clocks: dict[str, int], tables: Iterable[str], expected: bool
) -> ProcessPart:
    """A part of which no row has been read yet."""
    process = source.process()
    domain = process.info.clock_domain if process else f"unknown/{name}"
    clock = clocks.setdefault(domain, len(clocks))
    # A table that a process which ended well has not counted is one that its version did not write.
    written = process.counts if process and process.closed else tables
    unfinished = tuple(table for table in tables if table in written and not source.complete(table))
    return ProcessPart(name, clock, process, dict.fromkeys(tables, 0), unfinished, expected)


def _participants(run: Run, spaces: Spaces) -> pd.DataFrame:
    chats = spaces.chats.encode(uuid_array(chat.id for chat in run.chats))
    people = spaces.people.encode(uuid_array(user for chat in run.chats for user in chat.participants))
    sizes = [len(chat.participants) for chat in run.chats]
    table = pd.DataFrame({"chat_id": np.repeat(chats, sizes), "user_id": people}, copy=False)
    return table.drop_duplicates(ignore_index=True)


def _give_back() -> None:
    """Return freed memory to the system: Arrow's pool and the C library keep what passed through them."""
    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()


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
