"""`status.invalid` and `status.regressed`: a status is one of three, and goes sent → delivered → read only.

Two witnesses: the monitor's looks at the rows, and Realtime's UPDATE events, which also show what happened
between two looks. Each is judged by its own order; the two are compared only at the very end, since a look
and an event of the same moment may come in either order. Only messages of the run are judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer, first_examples, status_word
from analysis.criteria import Criterion, Finding, from_findings
from analysis.record.tables import EventType, ObservedChange, PollKind, Status

_ENDLESS = np.iinfo(np.int64).max
_STAGES = (Status.SENT, Status.DELIVERED, Status.READ)
_WAYS_BACK = ((Status.READ, Status.SENT), (Status.READ, Status.DELIVERED), (Status.DELIVERED, Status.SENT))

# An event this much older than the last look must show in it: far above any commit lag.
SETTLED_US = 1_000_000


def invalid(account: Account) -> Criterion:
    """`status.invalid`: NULL or an unknown text, at any time; or a new message that is not `sent`."""
    observed, events = _looks(account), _events(account)
    strange = [int(Status.NULL), int(Status.OTHER)]
    seen = np.flatnonzero(np.isin(observed.status, strange))
    inserted = account.evidence.events["type"].to_numpy()[events.position] == EventType.INSERT
    told = np.flatnonzero(np.isin(events.status, strange) | (inserted & (events.status != Status.SENT)))
    bad_looks = seen[np.unique(observed.row[seen], return_index=True)[1]]
    bad_events = told[np.unique(events.row[told], return_index=True)[1]]
    bad_events = bad_events[~np.isin(events.row[bad_events], observed.row[bad_looks])]
    texts = account.evidence.observations["status_text"]
    namer = Namer(account)

    def findings() -> Iterator[Finding]:
        for place in bad_looks.tolist():
            text = texts.iloc[int(observed.position[place])]
            shown = f"`{text}`" if isinstance(text, str) else status_word(observed.status[place])
            why = f"Its status is {shown}, which is none of sent, delivered and read."
            yield namer.row(int(observed.row[place]), why, at_ns=observed.at_ns(account, place))
        for place in bad_events.tolist():
            what = "was inserted with" if inserted[place] else "was shown by an event with"
            why = f"It {what} the status {status_word(events.status[place])}."
            yield namer.row(int(events.row[place]), why, at_ns=events.at_ns(account, place))

    return from_findings(
        "status.invalid",
        "Every status is one of sent, delivered and read",
        "messages",
        _checked(account),
        first_examples(findings()),
        count=len(bad_looks) + len(bad_events),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={"looks": len(observed.row), "events": len(events.row)},
    )


def regressed(account: Account) -> Criterion:
    """`status.regressed`: a status that went back, as the looks, the events or the end of the run show.

    In each witness's own order a message went back when it had a lower status later than a higher one. For
    that the first and last time of each status are enough, so that no event has to be sorted. Events of one
    millisecond, Supabase's grain, get the benefit of the doubt.
    """
    observed, events = _looks(account), _events(account)
    size = len(account.rows)
    seen = _Spans.of(size, observed, observed.position)
    told = _Spans.of(size, events, account.evidence.events["committed_us"].to_numpy()[events.position])
    witnesses = (
        ("was seen to go back", *seen.backwards()),
        ("was set back", *told.backwards()),
        ("had gone back at the end", *_back_at_the_end(account, told)),
    )
    before = np.zeros(size, np.int8)
    after = np.zeros(size, np.int8)
    how = np.full(size, NULL, np.int8)
    for number, (_, rows, high, low) in reversed(
        list(enumerate(witnesses))
    ):  # the first witness has the last word
        how[rows], before[rows], after[rows] = number, high, low
    faults = np.flatnonzero(how != NULL)
    namer = Namer(account)

    def findings() -> Iterator[Finding]:
        for row in faults.tolist():
            words = f"from {status_word(before[row])} to {status_word(after[row])}"
            yield namer.row(
                row,
                f"Its status {witnesses[how[row]][0]}, {words}.",
                at_ns=_when_back(account, row, after[row], observed if how[row] == 0 else events),
            )

    return from_findings(
        "status.regressed",
        "No status goes back",
        "messages",
        _checked(account),
        first_examples(findings()),
        count=len(faults),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def _checked(account: Account) -> int:
    return int((account.rows["operation"].to_numpy() >= 0).sum())


@dataclass(frozen=True, slots=True)
class _Statuses:
    """What one witness says of messages of the run, in its own order.

    Attributes:
        position: in the witness's table.
        row: in `Account.rows`.
        status: code.
    """

    table: str
    time: str
    position: Ints
    row: Ints
    status: NDArray[np.int8]

    def at_ns(self, account: Account, place: int) -> int:
        """When the witness saw the entry at `place`."""
        table: pd.DataFrame = getattr(account.evidence, self.table)
        return int(table[self.time].iloc[int(self.position[place])])


def _looks(account: Account) -> _Statuses:
    """The monitor's looks."""
    observations = account.evidence.observations
    row = account.row_of_message[observations["message_id"].to_numpy()]
    there = observations["change"].to_numpy() != ObservedChange.GONE
    position = np.flatnonzero(_of_run(account, row) & there)
    status = observations["status"].to_numpy()[position]
    return _Statuses("observations", "at_ns", position, row[position], status)


def _events(account: Account) -> _Statuses:
    """Realtime's INSERT and UPDATE events."""
    events = account.evidence.events
    row = account.row_of_message[events["message_id"].to_numpy()]
    told = events["type"].to_numpy() != EventType.DELETE
    position = np.flatnonzero(_of_run(account, row) & told)
    return _Statuses("events", "received_ns", position, row[position], events["status"].to_numpy()[position])


def _of_run(account: Account, row: Ints) -> Bools:
    mine: Bools = np.append(account.rows["operation"].to_numpy() >= 0, False)[row]
    return mine


@dataclass(frozen=True, slots=True)
class _Spans:
    """For each status and row the first and the last time at which the row had it; by status code."""

    first: dict[int, Ints]
    last: dict[int, Ints]

    @classmethod
    def of(cls, size: int, statuses: _Statuses, time: Ints) -> "_Spans":
        first: dict[int, Ints] = {}
        last: dict[int, Ints] = {}
        for status in _STAGES:
            having = statuses.status == status
            first[status] = np.full(size, _ENDLESS, np.int64)
            last[status] = np.full(size, NULL, np.int64)
            np.minimum.at(first[status], statuses.row[having], time[having])
            np.maximum.at(last[status], statuses.row[having], time[having])
        return cls(first, last)

    def backwards(self) -> tuple[Ints, Ints, Ints]:
        """Rows that had a lower status after a higher one, with both; the longest way back of each first."""
        return _stacked(
            [(np.flatnonzero(self.first[high] < self.last[low]), high, low) for high, low in _WAYS_BACK]
        )


def _stacked(found: list[tuple[Ints, int, int]]) -> tuple[Ints, Ints, Ints]:
    """Rows with a higher and a lower status, each row once."""
    rows = np.concatenate([part for part, _, _ in found])
    highs = np.concatenate([np.full(len(part), high, np.int64) for part, high, _ in found])
    lows = np.concatenate([np.full(len(part), low, np.int64) for part, _, low in found])
    once = np.unique(rows, return_index=True)[1]
    return rows[once], highs[once], lows[once]


def _back_at_the_end(account: Account, told: _Spans) -> tuple[Ints, Ints, Ints]:
    """Rows whose last observed status is below one that an event told of, long before the last look."""
    polls = account.evidence.polls
    sweeps = polls.loc[polls["kind"] == PollKind.SWEEP, "database_us"]
    deadline = int(sweeps.iloc[-1]) - SETTLED_US if len(sweeps) else NULL
    present = ~account.rows["gone"].to_numpy() & (account.rows["operation"].to_numpy() >= 0)
    final = account.rows["status"].to_numpy()
    return _stacked(
        [
            (np.flatnonzero(present & (final == low) & (told.first[high] < deadline)), high, low)
            for high, low in _WAYS_BACK
        ]
    )


def _when_back(account: Account, row: int, status: int, witness: _Statuses) -> int | None:
    """When the last entry of `witness` with this status of the row was seen."""
    places = np.flatnonzero((witness.row == row) & (witness.status == status))
    return witness.at_ns(account, int(places[-1])) if len(places) else None
