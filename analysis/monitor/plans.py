"""How does the app's history query run? Explained on the run's largest chats, after the last look at the rows.

The query is prepared once and run several times, as by an app that prepares its statements: PostgreSQL plans the first
five for their parameters, and from then on keeps a general plan if that looks no worse. Every run is a sample, in a
read-only transaction of its own, with the planner set up as for everybody else and a bound on its time. The plan is that
of the monitor's role: with row level security on, an app's role gets its conditions on top.
Source: https://www.postgresql.org/docs/current/sql-prepare.html
"""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import asyncpg

from analysis.monitor.telemetry import Parts, Row, Write, is_lost
from analysis.target.database import sql

PART = "history plan"
CHATS = 3
SAMPLES = 7  # of each chat, one more than PostgreSQL plans anew and one to compare
PAGE = 50
MOST_S = 30.0  # for all samples together; where an index is missing from a large table, one may take seconds
TABLE = "chat_messages"

_PREPARED = "chatsoak_history"


async def explain(
    connection: asyncpg.Connection, newest: dict[bytes, int], parts: Parts, write: Write
) -> None:
    """Write down the indexes of chat_messages, and a plan for each sample.

    Args:
        newest: each chat of the run (16 bytes) with its newest seq as far as it is known.

    Raises:
        asyncpg.PostgresError, asyncpg.InterfaceError, OSError: the connection was lost.
    """

    at_ns = time.monotonic_ns()
    columns = ("name", "definition", "leads", "usable")
    rows = await parts.fetch(PART, connection, "monitor/history_indexes")
    write("indexes", [(at_ns, *(row[name] for name in columns)) for row in rows])
    try:
        await connection.execute(
            f"prepare {_PREPARED} (uuid, bigint, integer) as {sql('monitor/history_page')}"
        )
    except asyncpg.PostgresError as error:
        if is_lost(error):
            raise
        parts.leave_out(PART, str(error), for_good=False)
        return
    try:
        await _take_samples(connection, newest, write)
    finally:
        if not connection.is_closed():
            await connection.execute(f"deallocate {_PREPARED}")


async def _take_samples(connection: asyncpg.Connection, newest: dict[bytes, int], write: Write) -> None:
    until = time.monotonic() + MOST_S
    largest = sorted(newest, key=lambda chat: newest[chat], reverse=True)[:CHATS]
    for chat in largest:
        write("plans", [await _sample(connection, chat, newest[chat] + 1, forced=True)])
        for number in range(SAMPLES):
            # The newest page, and one from the middle: by keyset the second costs no more than the first.
            before_seq = newest[chat] + 1 if number % 2 == 0 else newest[chat] // 2 + 1
            write("plans", [await _sample(connection, chat, before_seq, forced=False)])
            if time.monotonic() > until:
                return


async def _sample(connection: asyncpg.Connection, chat: bytes, before_seq: int, *, forced: bool) -> Row:
    """One row of table `plans`. Forced, the query is only planned: whether an index can serve it, not how fast.

    A sample that takes longer than it may is cut off; then its time is a lower bound, and it is planned once more to
    see how it would have gone about it.
    """
    at_ns = time.monotonic_ns()
    began = (at_ns, chat, before_seq, forced)
    statement = f"execute {_PREPARED} ('{UUID(bytes=chat)}', {before_seq}, {PAGE})"
    planned, run = "explain (format json)", "explain (analyze, buffers, timing off, format json)"
    try:
        return (
            *began,
            *_read(await _explained(connection, f"{planned if forced else run} {statement}", forced)),
            None,
        )
    except asyncpg.QueryCanceledError as error:
        elapsed_ms = (time.monotonic_ns() - at_ns) / 1e6
        _, *how = _read(await _explained(connection, f"{planned} {statement}", forced))
        return *began, elapsed_ms, *how, str(error)
    except asyncpg.PostgresError as error:
        if is_lost(error):
            raise
        return *began, *(None,) * 7, str(error)


async def _explained(connection: asyncpg.Connection, statement: str, forced: bool) -> dict[str, Any]:
    async with connection.transaction(readonly=True):
        await connection.execute(sql("monitor/session_history"))
        if forced:
            await connection.execute(sql("monitor/session_history_forced"))
        explained: dict[str, Any] = json.loads(await connection.fetchval(statement))[0]
        return explained


def _read(explained: dict[str, Any]) -> Row:
    """The columns of table `plans` that a plan fills: execution_ms to plan."""
    plan = explained["Plan"]
    nodes = list(_nodes(plan))
    scans = [node for node in nodes if node.get("Relation Name") == TABLE]
    scan = scans[0] if scans else plan
    return (
        explained.get("Execution Time"),
        plan.get("Actual Rows"),
        round(sum(map(_rows_read, scans))) if "Actual Rows" in plan else None,
        _name(scan),
        next((node["Index Name"] for node in _nodes(scan) if "Index Name" in node), None),
        any("Sort" in node["Node Type"] for node in nodes),
        json.dumps(explained),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _rows_read(scan: dict[str, Any]) -> float:
    """Rows that a scan has touched, over all its loops and workers."""
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return float((scan["Actual Rows"] + sum(scan.get(name, 0) for name in removed)) * scan["Actual Loops"])


def _name(scan: dict[str, Any]) -> str:
    """A node as EXPLAIN's text form names it."""
    backward = " Backward" if scan.get("Scan Direction") == "Backward" else ""
    return f"{scan['Node Type']}{backward}"
