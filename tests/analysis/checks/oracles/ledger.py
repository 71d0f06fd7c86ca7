"""Small histories of sends and rows that need not fit each other: any answer, any row, any repeat. See `story`."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from analysis.evidence import Evidence
from analysis.record.codes import ObservedChange, Outcome, Status
from tests.analysis.checks.oracles.story import Story, chat_id, key_id, message_id, ns, person_id, us
from tests.analysis.checks.oracles.writing import Writer, written


@dataclass(slots=True)
class Send:
    """One request: what was asked, and what was answered. Ids and keys are numbers, None where there is none."""

    person: int
    chat: int
    key: int | None
    text: str
    left: int
    answered: int
    outcome: Outcome
    id: int | None = None
    seq: int | None = None


@dataclass(slots=True)
class State:
    """A row as the poll of this number saw it; of one that is gone it has chat and seq only, as they were before."""

    poll: int
    change: ObservedChange
    chat: int
    sender: int | None
    key: int | None
    seq: int | None
    text: str | None
    deleted: bool = False
    created: int = 0


@dataclass(slots=True)
class Ledger(Story):
    """Sends in the order written, and for each message id (its place) what was seen of its row, if anything."""

    sends: list[Send] = field(default_factory=list)
    rows: list[list[State]] = field(default_factory=list)


class _LedgerWriter(Writer):
    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._ledger = ledger

    def load_rows(self, process: int) -> dict[str, list[tuple[Any, ...]]]:
        rows = super().load_rows(process)
        rows["sends"] = [
            (
                person_id(send.person).bytes,
                chat_id(send.chat).bytes,
                None if send.key is None else key_id(send.key).bytes,
                0,
                ns(send.left),
                ns(send.left),
                ns(send.answered),
                send.outcome,
                0,
                None if send.id is None else message_id(send.id).bytes,
                send.seq,
                send.text,
                None,
            )
            for send in self._ledger.sends
            if self._ledger.process_of[send.person] == process
        ]
        return rows

    def database_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        rows = super().database_rows()
        numbers = range(len(self._ledger.rows))
        rows["observations"] = [
            (
                poll,
                state.change,
                ns(self._ledger.polls[poll].at),
                message_id(number).bytes,
                chat_id(state.chat).bytes,
                state.seq,
                None if state.sender is None else person_id(state.sender).bytes,
                None if state.key is None else key_id(state.key).bytes,
                Status.SENT,
                None,
                state.text,
                us(state.created),
                state.deleted,
            )
            for poll, number in itertools.product(range(len(self._ledger.polls)), numbers)
            for state in self._ledger.rows[number]
            if state.poll == poll
        ]
        return rows


def recorded(ledger: Ledger) -> Evidence:
    """The ledger as the judge sees it."""
    return written(_LedgerWriter(ledger), ledger)
