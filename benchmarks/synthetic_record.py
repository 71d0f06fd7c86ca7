"""Writes the record of a clean run of any size in seconds: N messages in groups of three, 3N deliveries.

Everything that a real run of that size records is there: sends with texts; for each message and participant the
INSERT event and the UPDATE events of delivered and read, 9N in all; subscriptions, receipts, pages of history;
looks of the monitor that saw each message appear, be delivered and be read; gauges. No check finds a fault.

    python benchmarks/synthetic_record.py /tmp/run --sends 1000000
    python benchmarks/synthetic_record.py /tmp/run --sends 1000000 --walk-every 8   # and a look at the newest page after each 8th
"""

import argparse
import time
import uuid
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analysis.record import Chat, Person, ProcessInfo, Run
from analysis.record.codes import (
    AttemptKind,
    EventType,
    Guise,
    MarkKind,
    ObservedChange,
    Outcome,
    PagePurpose,
    PollKind,
    SocketEvent,
    Status,
    Way,
)
from analysis.record.process import ProcessRecord
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES, UUID
from benchmarks.synthetic_pages import PAGE, browsed

PEOPLE_OF_A_CHAT = 3
CHATS = 300
SENDS_PER_S = 100
REPEAT_EVERY = 20  # messages
BATCH_ROWS = 2048
TEXT = 'Message {n}: did you see what they said? 👋 مرحبا "quoted" and some more words to make it a usual length.'
START_NS = 1_000_000_000_000
START_US = 1_780_000_000_000_000


def write(folder: Path, sends: int, seed: int = 1, walk_every: int = 0) -> None:
    """Write a whole run of `sends` messages into `folder`.

    Args:
        walk_every: somebody reads the newest page of a chat after each so manieth message; 0: nobody does before the drain.
            A soak has about 118 such pages for a thousand sends: every 8th or 9th.
    """
    random = np.random.default_rng(seed)
    people = _ids(random, CHATS * PEOPLE_OF_A_CHAT)
    chats = _ids(random, CHATS)
    messages, client_ids = _ids(random, sends), _ids(random, sends)
    number = np.arange(sends)
    chat = number % CHATS
    seq = number // CHATS + 1
    sender = chat * PEOPLE_OF_A_CHAT + seq % PEOPLE_OF_A_CHAT
    reader = chat * PEOPLE_OF_A_CHAT + (seq + 1) % PEOPLE_OF_A_CHAT
    left = START_NS + number * (1_000_000_000 // SENDS_PER_S)
    took = random.gamma(4.0, 12_000_000, sends).astype(np.int64) + 1_000_000
    texts = pa.array([TEXT.format(n=n) for n in number.tolist()])
    checksums = np.fromiter((zlib.crc32(text.encode()) for text in texts.to_pylist()), np.uint32, sends)
    end = int(left[-1]) + 60_000_000_000
    last_seq = np.bincount(chat, minlength=CHATS)

    receiver = (chat[:, None] * PEOPLE_OF_A_CHAT + np.arange(PEOPLE_OF_A_CHAT)).ravel()
    thrice = np.repeat(number, PEOPLE_OF_A_CHAT)
    received = left[thrice] + took[thrice] + random.integers(1_000_000, 60_000_000, len(thrice))
    # A socket gives its events one after the other: what would overtake waits for what came first.
    by_receiver = np.lexsort((thrice, receiver))
    for group in np.split(by_receiver, np.flatnonzero(np.diff(receiver[by_receiver])) + 1):
        received[group] = np.maximum.accumulate(received[group])
    # INSERT, then the UPDATE of the first receipt, then the one of the first look; between any two the monitor looks.
    stage = np.repeat([Status.SENT, Status.DELIVERED, Status.READ], len(thrice))
    receiver, of = np.tile(receiver, 3), np.tile(thrice, 3)
    received = np.concatenate([received, received + 1_300_000_000, received + 3_300_000_000])
    order = np.argsort(received, kind="stable")
    receiver, of, received, stage = receiver[order], of[order], received[order], stage[order]
    delay_us = np.select([stage == Status.DELIVERED, stage == Status.READ], [1_300_000, 3_300_000], 0)

    everybody = np.arange(CHATS * PEOPLE_OF_A_CHAT)
    said = np.concatenate([number, number[::REPEAT_EVERY]])
    attempt = np.repeat([0, 1], [sends, len(said) - sends])
    load = {
        "sends": {  # every message once, and then some of them again
            "user_id": _take(people, sender[said]),
            "chat_id": _take(chats, chat[said]),
            "client_generated_id": _take(client_ids, said),
            "attempt": attempt,
            "due_ns": left[said] + 200_000_000 * attempt,
            "left_ns": left[said] + 200_000_000 * attempt,
            "answered_ns": left[said] + 200_000_000 * attempt + took[said],
            "outcome": Outcome.OK,
            "status_code": 201,
            "message_id": _take(messages, said),
            "seq": seq[said],
            "text": texts.take(pa.array(said)),
            "error": None,
        },
        "events": {
            "user_id": _take(people, receiver),
            "socket": receiver,
            "chat_id": _take(chats, chat[of]),
            "message_id": _take(messages, of),
            "sender_id": _take(people, sender[of]),
            "seq": seq[of],
            "type": np.where(stage == Status.SENT, EventType.INSERT, EventType.UPDATE),
            "status": stage,
            "text_crc32": checksums[of],
            "committed_us": START_US + (left[of] - START_NS) // 1_000_000 * 1000 + delay_us,
            "received_ns": received,
        },
        "sockets": {
            "user_id": _take(people, np.tile(everybody, 2)),
            "socket": np.tile(everybody, 2),
            "chat_id": _take(chats, np.tile(everybody // PEOPLE_OF_A_CHAT, 2)),
            "event": np.repeat([SocketEvent.SUBSCRIBED, SocketEvent.FINISHED], len(everybody)),
            "at_ns": np.repeat([START_NS - 1_000_000_000, end - 1_000_000_000], len(everybody)),
            "seq": None,
            "detail": None,
        },
        "marks": {  # the next participant acknowledges it, and later looks at it
            "user_id": _take(people, np.tile(reader, 2)),
            "chat_id": _take(chats, np.tile(chat, 2)),
            "kind": np.repeat([MarkKind.DELIVERED, MarkKind.READ], sends),
            "left_ns": np.concatenate([left + took + 1_200_000_000, left + took + 3_200_000_000]),
            "answered_ns": np.concatenate([left + took + 1_210_000_000, left + took + 3_210_000_000]),
            "outcome": Outcome.OK,
            "status_code": 200,
            "updated_count": 1,
            "up_to_seq": np.tile(seq, 2),
        },
        "pages": _appended(
            _pages(people, chats, messages, _take(people, sender), pa.array(checksums), last_seq, end),
            browsed(
                walk_every,
                CHATS,
                {"user_id": _take(people, reader), "chat_id": _take(chats, chat), "message_id": messages},
                {"sender_id": _take(people, sender), "text_crc32": pa.array(checksums)},
                seq,
                left + took + 10_000_000,
            ),
        ),
        "calls": {},
        "attempts": {  # everybody tries once to read the next chat
            "user_id": people,
            "chat_id": _take(chats, (everybody // PEOPLE_OF_A_CHAT + 1) % CHATS),
            "kind": AttemptKind.READ,
            "guise": Guise.OUTSIDER,
            "way": Way.REST,
            "left_ns": end - 3_500_000_000,
            "answered_ns": end - 3_400_000_000,
            "outcome": Outcome.OK,
            "status_code": 200,
            "got": 0,
            "message_id": None,
            "client_generated_id": None,
            "text": None,
            "error": None,
        },
        "generator": _generator(end),
        "stalls": _stalls(end),
    }
    polls = np.arange(START_NS, end, 1_000_000_000)
    looked = np.repeat([Status.SENT, Status.DELIVERED, Status.READ], sends)
    seen = np.tile(number, 3)
    poll = (left[seen] - START_NS) // 1_000_000_000 + np.repeat([1, 3, 5], sends)
    order = np.argsort(poll, kind="stable")
    poll, seen, looked = poll[order], seen[order], looked[order]
    database = {
        "baseline": {"chat_id": chats, "seq": 0, "rows": 0},
        "observations": {
            "poll": poll,
            "change": np.where(looked == Status.SENT, ObservedChange.APPEARED, ObservedChange.CHANGED),
            "at_ns": polls[poll],
            "message_id": _take(messages, seen),
            "chat_id": _take(chats, chat[seen]),
            "seq": seq[seen],
            "sender_id": _take(people, sender[seen]),
            "client_generated_id": _take(client_ids, seen),
            "status": looked,
            "status_text": None,
            "text": texts.take(pa.array(seen)),
            "created_us": START_US + (left[seen] - START_NS) // 1000,
            "deleted": False,
        },
        "polls": {
            "poll": np.arange(len(polls)),
            "kind": np.append(np.full(len(polls) - 1, PollKind.POLL), PollKind.SWEEP),
            "at_ns": polls,
            "duration_ms": 3.0,
            "database_us": START_US + (polls - START_NS) // 1000,
            "xmin": np.arange(len(polls)) + 1000,
            "next_xid": np.arange(len(polls)) + 1000,
            "rows_new": 0,
            "rows_changed": 0,
            "rows_gone": 0,
            "error": None,
        },
        "gauges": {"at_ns": polls, "name": "connections.active", "value": random.uniform(1, 9, len(polls))},
    }
    _part(folder / "record" / "local", "local", LOAD_TABLES, load)
    _part(folder / "database", "monitor", DATABASE_TABLES, database)
    _run(folder, people, chats)


def _pages(
    people: pa.Array,
    chats: pa.Array,
    messages: pa.Array,
    writers: pa.Array,
    checksums: pa.Array,
    last_seq: NDArray[np.int64],
    end: int,
) -> dict[str, Any]:
    """The newest page of each chat, as everybody reads it in the drain."""
    everybody = np.arange(CHATS * PEOPLE_OF_A_CHAT)
    newest = [list(range(int(last), max(int(last) - PAGE, 0), -1)) for last in last_seq]
    ids, senders, texts = (
        [[of[(seq - 1) * CHATS + chat].as_py() for seq in seqs] for chat, seqs in enumerate(newest)]
        for of in (messages, writers, checksums)
    )
    return {
        "user_id": people,
        "chat_id": _take(chats, everybody // PEOPLE_OF_A_CHAT),
        "walk": everybody,
        "purpose": PagePurpose.DRAIN,
        "before_seq": None,
        "page_limit": PAGE,
        "left_ns": end - 3_000_000_000,
        "answered_ns": end - 2_900_000_000,
        "outcome": Outcome.OK,
        "status_code": 200,
        "seqs": [newest[person // PEOPLE_OF_A_CHAT] for person in everybody.tolist()],
        "message_ids": [ids[person // PEOPLE_OF_A_CHAT] for person in everybody.tolist()],
        "sender_ids": [senders[person // PEOPLE_OF_A_CHAT] for person in everybody.tolist()],
        "text_crc32s": [texts[person // PEOPLE_OF_A_CHAT] for person in everybody.tolist()],
        "statuses": [
            [Status.READ] * len(newest[person // PEOPLE_OF_A_CHAT]) for person in everybody.tolist()
        ],
    }


def _appended(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """The rows of `then` after those of `first`, each column of the record's type."""
    rows = [len(table["walk"]) for table in (first, then)]
    return {
        field.name: pa.concat_arrays(
            _column(table[field.name], count, field.type).cast(field.type)
            for table, count in zip((first, then), rows, strict=True)
        )
        for field in LOAD_TABLES["pages"]
    }


def _generator(end: int) -> dict[str, Any]:
    at = np.arange(START_NS, end, 1_000_000_000)
    return {
        "at_ns": at,
        "wall_us": START_US + (at - START_NS) // 1000,
        "users": CHATS * PEOPLE_OF_A_CHAT,
        "cpu_share": 0.4,
        "rss_bytes": 200_000_000,
        "loop_lag_ms": 12.0,
        "buffered_rows": 100,
    }


def _stalls(end: int) -> dict[str, Any]:
    """One a second, as on a machine that does other things too."""
    begin = np.arange(START_NS, end, 1_000_000_000)
    return {"begin_ns": begin, "end_ns": begin + 32_000_000, "cpu_ms": 2.0}


def _ids(random: np.random.Generator, count: int) -> pa.Array:
    raw = random.integers(0, 256, (count, 16), dtype=np.uint8)
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    return pa.Array.from_buffers(UUID, count, [None, pa.py_buffer(raw.tobytes())])


def _take(ids: pa.Array, positions: NDArray[np.int64]) -> pa.Array:
    return ids.take(pa.array(positions))


def _part(folder: Path, name: str, schemas: dict[str, pa.Schema], tables: dict[str, dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    counts = {}
    for table, schema in schemas.items():
        columns = tables.get(table, {})  # what is not made here stays empty
        rows = max(
            (
                len(column)
                for column in columns.values()
                if hasattr(column, "__len__") and not isinstance(column, str)
            ),
            default=0,
        )
        arrays = [_column(columns.get(field.name), rows, field.type) for field in schema]
        whole = pa.Table.from_arrays(arrays, schema=schema)
        with (
            pa.OSFile(str(folder / f"{table}.arrows"), "wb") as file,
            pa.ipc.new_stream(file, schema) as stream,
        ):
            stream.write_table(whole, max_chunksize=BATCH_ROWS)
        counts[table] = rows
    info = ProcessInfo(name, 1, "synthetic", "boot", START_NS, START_US, {})
    ProcessRecord(info, closed=True, counts=counts).write(folder)


def _column(values: Any, rows: int, type_: pa.DataType) -> pa.Array:
    if values is None:
        return pa.nulls(rows, type_)
    if isinstance(values, np.ndarray):
        return pa.array(values).cast(type_)
    if isinstance(values, (pa.Array, list)):
        return pa.array(values, type_) if isinstance(values, list) else values
    return pa.repeat(pa.scalar(values, type_), rows)


def _run(folder: Path, people: pa.Array, chats: pa.Array) -> None:
    names = [str(uuid.UUID(bytes=raw)) for raw in people.to_pylist()]
    Run(
        run_id="20261123T160000Z-synt",
        host="http://127.0.0.1:8000",
        embedded=True,
        settings={},
        versions={},
        people=[Person(name, f"chatsoak+{n}@example.com") for n, name in enumerate(names)],
        chats=[
            Chat(
                str(uuid.UUID(bytes=raw)),
                "group",
                tuple(names[n * PEOPLE_OF_A_CHAT : (n + 1) * PEOPLE_OF_A_CHAT]),
                1.0,
            )
            for n, raw in enumerate(chats.to_pylist())
        ],
        processes=["local"],
        started_at="2026-11-23T16:00:00Z",
        ended_at="2026-11-23T19:00:00Z",
    ).write(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sends", type=int, default=1_000_000)
    parser.add_argument("--walk-every", type=int, default=0)
    arguments = parser.parse_args()
    began = time.perf_counter()
    write(arguments.folder, arguments.sends, walk_every=arguments.walk_every)
    print(f"{arguments.sends:,} sends written in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
