"""Simulated servers under a steady load, as `analysis.gauges.gauge_table` gives them: in good order, or with one leak."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NS_PER_S = 1_000_000_000
LOOK_S = 5.0
MIB = 1 << 20

Floats = NDArray[np.float64]

LEAKS = (
    "slot",
    "lag",
    "connections",
    "waiting",
    "lock wait",
    "idle",
    "transaction",
    "dead rows",
    "bloat",
    "index bloat",
)


def server(rng: np.random.Generator, minutes: float, leak: str | None = None) -> pd.DataFrame:
    """Every gauge that is judged, with the noise and the jumps that a real one has.

    Each leak grows by what a person would call a fault in ten minutes, and in proportion in a longer run.
    """
    count = round(minutes * 60 / LOOK_S)
    at_s = np.arange(count) * LOOK_S
    share = at_s / 600  # of ten minutes
    sent_per_s = rng.uniform(5, 200)
    inserted = np.cumsum(rng.poisson(sent_per_s * LOOK_S, count)).astype(float)
    rows = rng.uniform(100, 200_000) + inserted
    wal = inserted * 2_000
    gauges = {
        "wal.bytes": wal,
        "slots": np.ones(count),
        "slot.realtime.active": np.ones(count),
        "slot.realtime.retained_bytes": 2_000 * sent_per_s * (at_s % 15 + rng.exponential(5, count))
        + _burst(rng, count, 40 * MIB),
        "connections.most": np.full(count, 200.0),
        "connections.used": np.round(30 + 3 * _alike(rng, count, 0.9) + _burst(rng, count, 40)),
        "locks.waiting": rng.poisson(np.exp(_alike(rng, count, 0.8) - 0.5)).astype(float),
        "transactions.oldest_s": rng.exponential(0.2, count) + _burst(rng, count, 60),
    }
    gauges |= {
        "slot.realtime.lag_bytes": 500 * sent_per_s * rng.exponential(1, count)
        + _burst(rng, count, 40 * MIB),
        "locks.longest_wait_ms": rng.exponential(20, count) + _burst(rng, count, 5_000),
        "connections.idle_in_transaction": rng.poisson(0.3, count).astype(float),
    }
    for table, updates in (("chat_messages", 2.0), ("chats", 1.0)):
        gauges |= _table(
            rng, at_s, table, rows if table == "chat_messages" else rows * 0 + 500, sent_per_s * updates
        )
    if leak == "slot":
        gauges["slot.realtime.retained_bytes"] += 0.6 * (wal - wal[0]) + 40 * MIB * share
    elif leak == "lag":
        gauges["slot.realtime.lag_bytes"] += 0.6 * (wal - wal[0]) + 40 * MIB * share
    elif leak == "lock wait":
        gauges["locks.longest_wait_ms"] += 8_000 * share
    elif leak == "idle":
        gauges["connections.idle_in_transaction"] += np.floor(20 * share)
    elif leak == "connections":
        gauges["connections.used"] += np.floor(50 * share)
    elif leak == "waiting":
        gauges["locks.waiting"] += np.floor(20 * share)
    elif leak == "transaction":
        gauges["transactions.oldest_s"] = at_s + 1.0
    elif leak == "dead rows":
        # No vacuum comes any more.
        gauges["table.chats.rows_dead"] = sent_per_s * at_s * rng.uniform(0.95, 1.05)
    elif leak == "bloat":
        gauges["table.chats.bytes"] += 40 * MIB * share
    elif leak == "index bloat":
        gauges["table.chat_messages.index_bytes"] *= 1 + 1.5 * share
        gauges["table.chat_messages.index_bytes"] += 20 * MIB * share
    index = pd.Index((at_s * NS_PER_S).astype(np.int64), name="at_ns")
    return pd.DataFrame(gauges, index=index)


def _table(
    rng: np.random.Generator, at_s: Floats, table: str, rows: Floats, updates_per_s: float
) -> dict[str, Floats]:
    """A table whose dead rows autovacuum takes away, once a minute at most, as soon as there are enough."""
    due = 50 + 0.2 * rows
    dead = np.zeros(len(at_s))
    vacuums = np.zeros(len(at_s))
    nap = rng.uniform(0, 60)
    for look in range(1, len(at_s)):
        dead[look] = dead[look - 1] + rng.poisson(updates_per_s * LOOK_S)
        vacuums[look] = vacuums[look - 1]
        if (at_s[look] + nap) % 60 < LOOK_S and dead[look] > due[look]:
            dead[look], vacuums[look] = rng.uniform(0, 0.1) * dead[look], vacuums[look] + 1
    # A table is as large as its rows and the most dead ones that ever stood beside them.
    most = np.maximum.accumulate(rows + np.maximum.accumulate(dead))
    live = rows * rng.normal(1, 0.01, len(rows))  # the server's own estimate
    return {
        f"table.{table}.rows_live": live,
        f"table.{table}.rows_dead": dead,
        f"table.{table}.vacuum_due": due,
        f"table.{table}.autovacuums": vacuums,
        f"table.{table}.bytes": np.ceil(most * 200 / 8192) * 8192,
        f"table.{table}.index_bytes": np.ceil(most * 250 / 8192) * 8192,
    }


def _alike(rng: np.random.Generator, count: int, likeness: float) -> Floats:
    """Noise of which each value is like the one before; its variance is 1."""
    noise = rng.normal(size=count) * np.sqrt(1 - likeness**2)
    values = np.empty(count)
    values[0] = rng.normal()
    for number in range(1, count):
        values[number] = likeness * values[number - 1] + noise[number]
    return values


def _burst(rng: np.random.Generator, count: int, most: float) -> Floats:
    """A minute of trouble somewhere, in every second run."""
    values = np.zeros(count)
    if rng.random() < 0.5:
        begin = rng.integers(0, count)
        values[begin : begin + 12] = rng.uniform(0, most)
    return values
