"""The account of a ledger by nested loops: which sends were one message, and which rows it became.

Written from docs/what-is-checked.md and from the words of `analysis.checks.account`; it shares nothing with its code.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from analysis.record.codes import ObservedChange, Outcome, PollKind
from tests.analysis.checks.oracles.ledger import Ledger, Send, State

NOTED_AFTER = 0.1  # seconds from a look's snapshot until its time is noted, at most
_ORDER = [Outcome.OK, Outcome.INFO, Outcome.FAIL]


@dataclass(eq=False)
class Row:
    """A row of the run's chats: as it was last seen there, as every look saw it, when first, and whether it went."""

    id: int
    state: State
    states: list[State]
    first_poll: int
    gone: bool
    came_back: bool = False  # a look did not find it, and a later one did
    of: "Meant | None" = None


@dataclass(eq=False)
class Meant:
    """A message as somebody meant it: its attempts in the order in which they left."""

    attempts: list[Send]
    rows: list[Row] = field(default_factory=list)

    @property
    def first(self) -> Send:
        return self.attempts[0]

    @property
    def outcome(self) -> Outcome:
        return next(one for one in _ORDER if any(send.outcome is one for send in self.attempts))

    @property
    def ok(self) -> list[Send]:
        return [send for send in self.attempts if send.outcome is Outcome.OK]

    @property
    def ids(self) -> list[int]:
        return [send.id for send in self.ok if send.id is not None]

    @property
    def seqs(self) -> list[int]:
        return [send.seq for send in self.ok if send.seq is not None]

    @property
    def stored(self) -> list[Row]:
        return [row for row in self.rows if not row.gone]


class Books:
    """A ledger's messages and rows, matched."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.meant = _meant(ledger)
        self.rows = _rows(ledger)
        for row in self.rows:
            row.of = self._by_key(row) or self._by_answer(row)
        taken = [row.of for row in self.rows if row.of is not None]
        waiting = sorted(
            self.meant, key=lambda one: (one in taken, _ORDER.index(one.outcome), one.first.left)
        )
        for row in self.rows:
            alike = [one for one in waiting if row.of is None and _says(one, row)]
            if alike:
                row.of = alike[0]
                if len(alike) > 1:  # which of several has the second copy, nobody can tell: the last of them
                    waiting.remove(alike[0])
        for row in self.rows:
            if row.of is not None:
                row.of.rows.append(row)

    def row(self, number: int | None) -> Row | None:
        return next((row for row in self.rows if row.id == number), None)

    @property
    def unseen(self) -> bool:
        """The last look was not taken, or not all that was seen was written down."""
        swept = any(poll.kind is PollKind.SWEEP for poll in self.ledger.polls)
        return not swept or bool(self.ledger.monitor.lost)

    @property
    def users(self) -> set[int]:
        """Whoever is in a chat of the run."""
        return {person for chat in self.ledger.chats for person in chat}

    def late(self, one: Meant) -> bool:
        """Nobody knows that it was acknowledged before the last look: no clock that can be held against the monitor's, and
        no message of the same clock that left later and was seen, with its key, by then."""
        acknowledged = min(send.answered for send in one.ok)
        known = self.ledger.comparable(one.first.person) and acknowledged < self.ledger.polls[-1].asked_by(
            NOTED_AFTER
        )
        return not self.unseen and not known and not any(self._follows(other, one) for other in self.meant)

    def _follows(self, other: Meant, one: Meant) -> bool:
        """The other left after this one was acknowledged, by the same clock, and for certain before the last look."""
        same = self.ledger.host(other.first.person) == self.ledger.host(one.first.person)
        later = all(send.left > min(sent.answered for sent in one.ok) for send in other.attempts)
        key, polls = other.first.key, self.ledger.polls
        seen = [row for row in other.rows if polls[row.first_poll].at <= self.last]
        return same and later and key is not None and key in [row.state.key for row in seen]

    @property
    def last(self) -> float:
        """When the last look was noted."""
        return self.ledger.polls[-1].at

    def before(self, row: Row) -> bool:
        """Nobody of the run meant it, the chat had come to its seq before the run, and it does not say that it is younger."""
        baseline = self.ledger.baseline[row.state.chat] or 0
        old = row.state.seq is not None and row.state.seq <= baseline
        began = self.ledger.polls[0].database
        return row.of is None and old and row.state.created <= began + 60

    def _by_key(self, row: Row) -> Meant | None:
        key = row.state.key
        return next((one for one in self.meant if key is not None and one.first.key == key), None)

    def _by_answer(self, row: Row) -> Meant | None:
        # Of several that were told the same id the one whose answer was written last.
        told = [send for send in _in_record(self.ledger) if send.outcome is Outcome.OK and send.id == row.id]
        return next(
            (one for one in self.meant if told and any(told[-1] is send for send in one.attempts)), None
        )


def _in_record(ledger: Ledger) -> list[Send]:
    return sorted(ledger.sends, key=lambda send: ledger.process_of[send.person])


def _meant(ledger: Ledger) -> list[Meant]:
    found: list[Meant] = []
    for send in _in_record(ledger):
        for one in found:
            if send.key is not None and (one.first.key, one.first.person) == (send.key, send.person):
                one.attempts.append(send)
                break
        else:
            found.append(Meant([send]))
    for one in found:
        one.attempts.sort(key=lambda send: send.left)
    return found


def _rows(ledger: Ledger) -> list[Row]:
    """In the order in which they were first seen."""
    rows = []
    for number, states in enumerate(ledger.rows):
        if states:
            there = [state for state in states if state.change is not ObservedChange.GONE]
            gone = states[-1].change is ObservedChange.GONE
            changes = [state.change is ObservedChange.GONE for state in states]
            came_back = (True, False) in pairwise(changes)
            rows.append(Row(number, (there or states)[-1], there, states[0].poll, gone, came_back))
    return sorted(rows, key=lambda row: row.first_poll)


def _says(one: Meant, row: Row) -> bool:
    seen = (row.states or [row.state])[0]
    return (one.first.person, one.first.chat, one.first.text) == (seen.sender, seen.chat, seen.text)
