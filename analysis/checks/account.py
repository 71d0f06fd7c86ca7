"""The account of a run: which sends were one message, and which stored row each message became.

**Operations.** All sends of one user with one client_generated_id are one operation: a first attempt and its
repeats. It is ok when any attempt was ok, else info when any attempt was (the database decides), else fail.
That is why "sends" of the verdict counts messages meant, not requests made.

**Rows.** A row belongs to the operation whose client_generated_id it carries; without one, to the operation
that was answered with its id; without either (an app that takes no ids and returns none), to an operation of
the sender, chat and text that it was first seen with, one that has no row yet, and failing that, one that has
(a second copy). Rows that no operation explains are other people's: counted, never blamed.

**Where several fit.** An id that several operations were answered with names the row of the last of them in the record:
one of them is wrong, and nothing tells which. A further copy that fits several operations by its text is given to the last
of them, in the order ok, info, fail, then as they left. What an operation was *first answered* is the answer to
the earliest of its attempts to leave that told it, whichever answer came in first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.clocks import asked_ns
from analysis.evidence import Evidence
from analysis.identifiers import NONE
from analysis.record.codes import ObservedChange, Outcome, PollKind

NEVER = -1  # in times
NULL = -1  # in seq
# An app that dates its messages itself may be so far ahead of the database.
AHEAD_US = 60_000_000
LOOKS = ("observations", "polls", "baseline", "memberships")  # tables of the monitor

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Account:
    """What the checkers share.

    Attributes:
        operations: by number; ``user_id``, ``chat_id``, ``client_generated_id``, ``text_hash``, ``text_crc32``,
            ``outcome``, ``left_ns`` (first attempt), ``acknowledged_ns`` (first ok answer; `NEVER`), ``clock``,
            ``attempts``, ``ok_attempts``, ``message_id`` and ``seq`` (as first answered), ``ids_agree`` and
            ``seqs_agree`` (over all ok answers), ``send`` (position of the first attempt), ``rows_seen`` (how many
            rows of it the looks ever saw) and ``rows`` (how many of them were there at the end of the run).
        operation_of_send: the operation of each send.
        rows: `Evidence.rows` with ``operation`` (`NONE`: other people's), ``before`` (stored before the run
            began: its seq is not above the chat's baseline, and its own date is none of the run), ``first_look`` (the
            first look that saw it there, as its place in ``Evidence.observations``; `NONE`) and ``acknowledged_ns``
            (an ok answer told of this row by then; `NEVER` too for further copies of its message).
        row_of_message: for each message code the position in `rows`, `NONE` when never seen.
        baseline: for each chat code its newest seq before the run; 0 where that is not known.
        looks_whole: the monitor wrote down all that it saw; where it could not, absence and lack of change say nothing.
        last_look_ns: when the final sweep's snapshot was there; None without one, and where the looks are not whole.
        last_look_asked_ns: when it was asked for: it was not taken earlier.
        monitor_clock: the clock domain of the monitor's times.
    """

    evidence: Evidence
    operations: pd.DataFrame
    operation_of_send: Ints
    rows: pd.DataFrame
    row_of_message: Ints
    baseline: Ints
    looks_whole: bool
    last_look_ns: int | None
    last_look_asked_ns: int | None
    monitor_clock: int

    @property
    def stored(self) -> Bools:
        """Which of `rows` are the run's and were there at the last look."""
        rows = self.rows
        mine: Bools = (rows["operation"].to_numpy() >= 0) & ~rows["gone"].to_numpy()
        return mine

    def messages_of_sends(self) -> Ints:
        """For each send the code of the message it became: as answered, else as stored; `NONE` if neither."""
        return self._of_sends("message_id")

    def seqs_of_sends(self) -> Ints:
        """For each send the seq of the message it became: as answered, else as stored; `NULL` if neither."""
        return self._of_sends("seq")

    def _of_sends(self, column: str) -> Ints:
        answered = self.operations[column].to_numpy(np.int64)
        stored = np.append(self.rows[column].to_numpy(np.int64), NONE)[self.row_of_operation()]
        return np.where(answered >= 0, answered, stored)[self.operation_of_send]

    def row_of_operation(self) -> Ints:
        """For each operation a row that it has or had, of several the newest; `NONE` when no look saw one."""
        operation = self.rows["operation"].to_numpy()
        newest = np.full(len(self.operations), NONE, np.int64)
        mine = np.flatnonzero(operation >= 0)
        newest[operation[mine]] = mine
        return newest

    def first_chats(self) -> Ints:
        """For each of `rows` the chat in which it was first seen, wherever it was moved later."""
        look = self.rows["first_look"].to_numpy(np.int64)
        seen = np.append(self.evidence.observations["chat_id"].to_numpy(np.int64), NONE)[look]
        return np.where(look == NONE, self.rows["chat_id"].to_numpy(np.int64), seen)

    def rows_of(self, numbers: Ints) -> Iterator[list[int]]:
        """For each of these operations all rows that it has or had, in the order in which they were first seen."""
        operation = self.rows["operation"].to_numpy()
        order = np.argsort(operation, kind="stable")
        bounds = np.searchsorted(operation[order], np.stack((numbers, numbers + 1)))
        return (order[begin:end].tolist() for begin, end in bounds.T.tolist())


def account_for(evidence: Evidence) -> Account:
    """Match what was sent with what was stored."""
    operation_of_send, operations = _operations(evidence.sends)
    row_of_message = _dense(
        evidence.rows["message_id"], np.arange(len(evidence.rows)), len(evidence.messages), NONE
    )
    rows = evidence.rows.assign(first_look=_first_looks(evidence, row_of_message))
    matched = _matched(evidence, rows, operations, operation_of_send)
    baseline = _dense(evidence.baseline["chat_id"], evidence.baseline["seq"], len(evidence.chats), 0)
    seq = rows["seq"].to_numpy(np.int64)
    old = (seq != NULL) & (seq <= baseline[rows["chat_id"].to_numpy()])
    before = (matched < 0) & old & ~_dated_within(evidence, rows)
    rows = rows.assign(operation=matched, before=before)
    rows["acknowledged_ns"] = _acknowledged(operations, rows)
    mine = matched >= 0
    there = mine & ~rows["gone"].to_numpy()
    operations = operations.assign(
        rows_seen=np.bincount(matched[mine], minlength=len(operations)),
        rows=np.bincount(matched[there], minlength=len(operations)),
    )
    sweeps = evidence.polls[evidence.polls["kind"] == PollKind.SWEEP]
    whole = not any(part.lost_rows_of(*LOOKS) for part in evidence.monitors) and _all_told(evidence)
    swept = whole and len(sweeps) > 0
    return Account(
        evidence=evidence,
        operations=operations,
        operation_of_send=operation_of_send,
        rows=rows,
        baseline=baseline,
        row_of_message=row_of_message,
        looks_whole=whole,
        last_look_ns=int(sweeps["at_ns"].iloc[-1]) if swept else None,
        last_look_asked_ns=int(asked_ns(sweeps)[-1]) if swept else None,
        monitor_clock=evidence.database.clock,
    )


def _first_looks(evidence: Evidence, row_of_message: Ints) -> Ints:
    """For each of ``Evidence.rows`` the first look that saw it there, as its place in ``Evidence.observations``; or `NONE`."""
    observations = evidence.observations
    there = np.flatnonzero(observations["change"].to_numpy() != ObservedChange.GONE)[::-1]
    first = np.full(len(evidence.rows), NONE, np.int64)
    first[row_of_message[observations["message_id"].to_numpy()[there]]] = there
    return first


def _dated_within(evidence: Evidence, rows: pd.DataFrame) -> Bools:
    """Which rows say of themselves that they were stored while the run went on, surely: `AHEAD_US` after the first look."""
    taken = evidence.polls.loc[evidence.polls["kind"] != PollKind.FAILED, "database_us"].to_numpy(np.int64)
    began_us = taken[0] if len(taken) else np.iinfo(np.int64).max - AHEAD_US
    within: Bools = rows["created_us"].to_numpy(np.int64) > began_us + AHEAD_US
    return within


def _all_told(evidence: Evidence) -> bool:
    """Whether each look's rows are all there: a monitor that found no room on the disk may have had some for the next look's row.

    In whichever part: of a look during which a monitor was killed its successor tells how many rows are in the part before its own.
    Looks are numbered through.
    """
    there = evidence.observations.groupby("poll").size()
    polls = evidence.polls.set_index("poll")
    seen = polls[["rows_new", "rows_changed", "rows_gone"]].sum(axis=1)
    return bool((there.reindex(seen.index, fill_value=0) >= seen).all())


def _operations(sends: pd.DataFrame) -> tuple[Ints, pd.DataFrame]:
    client_id = sends["client_generated_id"].to_numpy(np.int64)
    own = -1 - np.arange(len(sends))  # a send without the id stands for itself
    key = np.where(client_id >= 0, pair(sends["user_id"].to_numpy(), client_id), own)
    number, _ = pd.factorize(key)
    number = number.astype(np.int64)
    order = np.lexsort((sends["left_ns"].to_numpy(), number))
    if not len(order):
        return number, _empty_operations(sends)
    numbers = number[order]
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    outcome = sends["outcome"].to_numpy()[order]
    ok = outcome == Outcome.OK
    any_ok = np.logical_or.reduceat(ok, starts)
    any_info = np.logical_or.reduceat(outcome == Outcome.INFO, starts)
    never = np.iinfo(np.int64).max
    acknowledged = np.minimum.reduceat(np.where(ok, sends["answered_ns"].to_numpy()[order], never), starts)
    first = sends.iloc[order[starts]]
    columns = ["user_id", "chat_id", "client_generated_id", "text_hash", "text_crc32", "left_ns", "clock"]
    operations = first[columns].reset_index(drop=True)
    operations["outcome"] = np.where(any_ok, Outcome.OK, np.where(any_info, Outcome.INFO, Outcome.FAIL))
    operations["acknowledged_ns"] = np.where(any_ok, acknowledged, NEVER)
    operations["attempts"] = np.diff(starts, append=len(order))
    operations["ok_attempts"] = np.add.reduceat(ok, starts)
    operations["send"] = order[starts]
    for column, agree in (("message_id", "ids_agree"), ("seq", "seqs_agree")):
        answered = sends[column].to_numpy(np.int64)[order]
        told = ok & (answered >= 0)
        low = np.minimum.reduceat(np.where(told, answered, never), starts)
        high = np.maximum.reduceat(np.where(told, answered, NONE), starts)
        position = np.minimum.reduceat(np.where(told, np.arange(len(order)), never), starts)
        known = position != never
        operations[column] = np.where(known, answered[np.where(known, position, 0)], NONE)
        operations[agree] = ~known | (low == high)
    return number, operations


def _empty_operations(sends: pd.DataFrame) -> pd.DataFrame:
    columns = ["user_id", "chat_id", "client_generated_id", "text_hash", "text_crc32", "left_ns", "clock"]
    more = ["outcome", "acknowledged_ns", "attempts", "ok_attempts", "send", "message_id", "seq"]
    empty = sends[columns].reset_index(drop=True)
    empty[more] = np.empty((0, len(more)), np.int64)
    empty[["ids_agree", "seqs_agree"]] = np.empty((0, 2), np.bool_)
    return empty


def _matched(
    evidence: Evidence, rows: pd.DataFrame, operations: pd.DataFrame, operation_of_send: Ints
) -> Ints:
    """For each row the operation that it belongs to, or `NONE`. The steps are those of the module's text."""
    sends = evidence.sends
    matched = np.full(len(rows), NONE, np.int64)
    client_id = rows["client_generated_id"].to_numpy(np.int64)
    meant = operations["client_generated_id"].to_numpy(np.int64)

    keyed = np.flatnonzero(meant >= 0)
    mine = find(
        pair(operations["user_id"].to_numpy(), meant)[keyed], pair(rows["sender_id"].to_numpy(), client_id)
    )
    take = (mine >= 0) & (client_id >= 0)
    matched[take] = keyed[mine[take]]
    by_id = _dense(
        operations["client_generated_id"], np.arange(len(operations)), len(evidence.messages), NONE
    )
    take = (matched < 0) & (client_id >= 0)
    matched[take] = by_id[client_id[take]]  # the right id under another sender: corrupted, yet this message

    answered = (sends["outcome"].to_numpy() == Outcome.OK) & (sends["message_id"].to_numpy() >= 0)
    by_answer = _dense(
        sends["message_id"].to_numpy()[answered], operation_of_send[answered], len(evidence.messages), NONE
    )
    take = matched < 0
    matched[take] = by_answer[rows["message_id"].to_numpy()[take]]
    left = np.flatnonzero(matched < 0)
    if len(left) and len(operations):
        first, last = (rows[look].to_numpy(np.int64)[left] for look in ("first_look", "observation"))
        seen = evidence.observations.take(np.where(first == NONE, last, first))
        _match_by_text(left, seen, operations, matched)
    return matched


def _match_by_text(left: Ints, seen: pd.DataFrame, operations: pd.DataFrame, matched: Ints) -> None:
    """Give the rows that are left to operations of the same sender, chat and text; changes `matched`.

    Args:
        seen: each of them as it was first seen: what it became later is `messages.corrupted`'s affair.
    """
    sought = pd.MultiIndex.from_arrays(
        [seen[column].to_numpy() for column in ("sender_id", "chat_id", "text_hash")]
    )
    said = pd.MultiIndex.from_arrays(
        [operations[column].to_numpy() for column in ("user_id", "chat_id", "text_hash")]
    )
    alike = np.flatnonzero(said.isin(sought))
    taken = np.isin(alike, matched)
    # Free operations before those that have a row, ok before info before fail, then in the order sent.
    urgency = np.array([0, 2, 1])[operations["outcome"].to_numpy(np.int64)[alike]]
    alike = alike[np.lexsort((operations["left_ns"].to_numpy()[alike], urgency, taken))]
    waiting: dict[tuple[int, ...], list[int]] = {}
    for operation, key in zip(alike.tolist(), said[alike], strict=True):
        waiting.setdefault(key, []).append(operation)
    for row, key in zip(left.tolist(), sought, strict=True):
        if operations_left := waiting.get(key):
            matched[row] = operations_left.pop(0) if len(operations_left) > 1 else operations_left[0]


def _acknowledged(operations: pd.DataFrame, rows: pd.DataFrame) -> Ints:
    """When each row was told of: the row that the first answer named, or the only one its message ever had."""
    times = np.full(len(rows), NEVER, np.int64)
    mine = np.flatnonzero(rows["operation"].to_numpy() >= 0)
    operation = rows["operation"].to_numpy()[mine]
    told = operations["message_id"].to_numpy(np.int64)[operation]
    only = np.bincount(operation, minlength=len(operations))[operation] == 1
    meant = only | (told == rows["message_id"].to_numpy()[mine])
    times[mine[meant]] = operations["acknowledged_ns"].to_numpy(np.int64)[operation[meant]]
    return times


def pair(high: NDArray[np.integer], low: NDArray[np.integer]) -> Ints:
    """Two codes as one number, for joins on both; `low` must not be negative where the result is used."""
    joined: Ints = (high.astype(np.int64) << 32) | (low.astype(np.int64) & 0xFFFFFFFF)
    return joined


def find(haystack: Ints, needles: Ints) -> Ints:
    """The position in `haystack` of each needle, the first one of equals; -1 when it is not there."""
    if not len(haystack):
        return np.full(len(needles), -1, np.int64)
    order = np.argsort(haystack, kind="stable")
    place = np.searchsorted(haystack, needles, sorter=order).clip(max=len(haystack) - 1)
    position = order[place]
    return np.where(haystack[position] == needles, position, -1)


def _dense(codes: "pd.Series[int] | Ints", values: "pd.Series[int] | Ints", size: int, absent: int) -> Ints:
    """A table from code to value; the code -1 leads to `absent`."""
    table = np.full(size + 1, absent, np.int64)
    keys, content = np.asarray(codes), np.asarray(values)
    table[keys[keys >= 0]] = content[keys >= 0]
    return table
