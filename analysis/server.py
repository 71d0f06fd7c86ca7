"""The server's side of a run, as a report shows it: figures over time, statements, and who waited for whom. No I/O.

Counters are shown as rates, levels as they are; everything lies on the axis of `analysis.timeline`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evidence import Evidence
from analysis.gauges import NS_PER_S, gauge_table, rates
from analysis.panels import Line, Panel, bucketed, highest, moves, panel
from analysis.timeline import TimeAxis

STATEMENTS_MOST = 20
WAITS_MOST = 20
HIDDEN = "(text hidden or no longer known)"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement cost between the monitor's first look and its last."""

    query: str
    calls: int
    total_ms: float
    mean_ms: float
    share: float  # of the time of all statements
    rows: int
    blocks_read: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Sessions of one statement that waited for sessions of another, over all looks."""

    waiting: str
    blocking: str
    lock: str
    looks: int  # at which somebody waited so
    sessions: int  # different ones that waited
    longest_ms: float  # that was seen
    first_s: float  # on the timeline's axis


@dataclass(frozen=True, slots=True)
class Server:
    """The server's side.

    Attributes:
        still: titles of panels that would only show zeros.
        statements: those that took the most time, first the most.
        statements_reset: their counters were reset during the run, so that the figures are too low.
        waits: the longest first.
        left_out: part → why it could not be read.
    """

    panels: tuple[Panel, ...]
    still: tuple[str, ...]
    statements: tuple[Statement, ...]
    statements_reset: bool
    waits: tuple[Wait, ...]
    left_out: Mapping[str, str]


def server_side(evidence: Evidence, axis: TimeAxis, width_s: int, coarse_s: int) -> Server:
    """The server's side of a run; what the monitor did not see is simply not there.

    Args:
        width_s, coarse_s: of the buckets to draw, and of those to read.
    """
    gauges = evidence.gauges
    table = gauge_table(axis.place_column(gauges, "at_ns"), gauges["name"], gauges["value"])
    statements, reset = _statements(evidence.statements)
    left_out = evidence.left_out
    panels = [one for one in panels_of(table, width_s, coarse_s) if one.lines]
    moving = {one.title for one in panels if any(map(moves, one.lines.values()))}
    return Server(
        panels=tuple(one for one in panels if one.title in moving),
        still=tuple(one.title for one in panels if one.title not in moving),
        statements=statements,
        statements_reset=reset,
        waits=_waits(evidence.waits, axis.place_column(evidence.waits, "at_ns")),
        left_out={str(part): str(why) for part, why in zip(left_out["part"], left_out["why"], strict=True)},
    )


def panels_of(table: pd.DataFrame, width_s: int, coarse_s: int) -> Iterator[Panel]:
    """All panels there are, those without a line too."""
    known_names: list[str] = table.columns.tolist()

    def line(values: pd.Series) -> Line:
        return bucketed(values, width_s, coarse_s)

    def column(name: str) -> pd.Series:
        return table[name].dropna() if name in table else pd.Series(dtype=np.float64)

    def level(name: str) -> Line:
        return line(column(name))

    def rate(name: str) -> Line:
        return line(rates(column(name)))

    def since_first(name: str) -> Line:
        known = column(name)
        return line(known - known.iloc[0] if len(known) else known)

    def each(prefix: str, suffix: str) -> dict[str, Line]:
        names = [name for name in known_names if name.startswith(prefix) and name.endswith(suffix)]
        found = {name[len(prefix) : len(name) - len(suffix)]: level(name) for name in names}
        return highest(found)

    states = {
        name.removeprefix("connections.").replace("_", " "): level(name)
        for name in known_names
        if name.startswith("connections.") and name not in ("connections.used", "connections.most")
    }
    yield panel(
        "Transactions",
        "per s",
        {"committed": rate("transactions.committed"), "rolled back": rate("transactions.rolled_back")},
    )
    yield panel(
        "Rows written",
        "per s",
        {name: rate(f"tuples.{name}") for name in ("inserted", "updated", "deleted")},
    )
    yield panel("Connections by state", "", highest(states))
    yield panel("Sessions waiting for a lock", "", {"waiting": level("locks.waiting")})
    yield panel("Oldest transaction", "s", {"age": level("transactions.oldest_s")})
    yield panel(
        "Found in the cache",
        "%",
        {"share": line(_cached(column("blocks.hit"), column("blocks.read")))},
        matters="low",
    )
    yield panel("Dead rows", "rows", each("table.", ".rows_dead"))
    yield panel("Tables", "bytes", each("table.", ".bytes"))
    yield panel("Indexes", "bytes", each("table.", ".index_bytes"))
    yield panel("Log written", "bytes per s", {"log": rate("wal.bytes")})
    yield panel("Log kept for replication slots", "bytes", each("slot.", ".retained_bytes"))
    yield panel("Not yet read by replication slots", "bytes", each("slot.", ".lag_bytes"))
    yield panel(
        "Checkpoints since the start",
        "",
        {name: since_first(f"checkpoints.{name}") for name in ("timed", "requested")},
    )
    vacuums = [name for name in known_names if name.startswith("table.") and name.endswith(".autovacuums")]
    yield panel(
        "Autovacuums since the start",
        "",
        highest({name.split(".")[1]: since_first(name) for name in vacuums}),
    )
    yield panel("Deadlocks since the start", "", {"deadlocks": since_first("deadlocks")})
    yield panel("Written to temporary files", "bytes per s", {"written": rate("temporary.bytes")})


def _cached(hit: pd.Series, read: pd.Series) -> pd.Series:
    """Share of the blocks asked for that were in the server's own cache, in %."""
    hits, reads = rates(hit), rates(read)
    asked = hits + reads
    return 100 * hits / asked.where(asked > 0)


def _statements(looks: pd.DataFrame) -> tuple[tuple[Statement, ...], bool]:
    """What each statement cost between the first look and the last, and whether the counters were reset meanwhile."""
    if not len(looks):
        return (), False
    counters = ["calls", "total_ms", "rows", "blocks_read"]
    first_look = looks["at_ns"] == looks["at_ns"].min()
    before = looks[first_look].set_index("key")[counters]
    last = looks[~first_look].drop_duplicates("key", keep="last").set_index("key")
    if not len(last):
        return (), False
    since = last[counters] - before.reindex(last.index).fillna(0)
    # The counters of one that was reset, or forgotten for others, began again at zero.
    again = (since["calls"] < 0).to_numpy()
    since[again] = last[counters][again]
    known = looks.loc[looks["reset_us"] >= 0, "reset_us"]
    reset = bool(again.any()) or known.nunique() > 1
    since = since[since["calls"] > 0].sort_values("total_ms", ascending=False)
    whole_ms = float(since["total_ms"].sum())
    found = tuple(
        Statement(
            query=str(last.at[key, "query"]) if isinstance(last.at[key, "query"], str) else HIDDEN,
            calls=int(row["calls"]),
            total_ms=float(row["total_ms"]),
            mean_ms=float(row["total_ms"] / row["calls"]),
            share=float(row["total_ms"] / whole_ms) if whole_ms else 0.0,
            rows=int(row["rows"]),
            blocks_read=int(row["blocks_read"]),
        )
        for key, row in since.head(STATEMENTS_MOST).iterrows()
    )
    return found, reset


def _waits(waits: pd.DataFrame, axis_ns: NDArray[np.int64]) -> tuple[Wait, ...]:
    if not len(waits):
        return ()
    names = {column: _told(waits, column) for column in ("waiting", "blocking")}
    where = waits["relation"].astype(object)
    lock = waits["lock"].astype(str) + where.map(lambda name: f" on {name}" if isinstance(name, str) else "")
    told = pd.DataFrame(
        {
            **names,
            "lock": lock.to_numpy(),
            "at_ns": axis_ns,
            "pid": waits["waiting_pid"].to_numpy(),
            "waited_ms": waits["waited_ms"].to_numpy(),
        }
    )
    found = [
        Wait(
            waiting=str(waiting),
            blocking=str(blocking),
            lock=str(held),
            looks=int(rows["at_ns"].nunique()),
            sessions=int(rows["pid"].nunique()),
            longest_ms=float(rows["waited_ms"].max()),
            first_s=float(rows["at_ns"].min()) / NS_PER_S,
        )
        for (waiting, blocking, held), rows in told.groupby(["waiting", "blocking", "lock"], sort=True)
    ]
    return tuple(sorted(found, key=lambda wait: -wait.longest_ms)[:WAITS_MOST])


def _told(waits: pd.DataFrame, side: str) -> list[str]:
    """Who it was and what they were at, as far as it was to be seen."""
    states = waits["blocking_state"] if side == "blocking" else [None] * len(waits)
    told = []
    for application, state, statement in zip(
        waits[f"{side}_application"], states, waits[f"{side}_statement"], strict=True
    ):
        words = [word for word in (application, state) if isinstance(word, str) and word]
        text = statement if isinstance(statement, str) and statement else HIDDEN
        told.append(f"{text} ({', '.join(words)})" if words else text)
    return told
