"""Findings in words: from positions in the account to the ids and the sentence that a person needs."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis.checks.account import NEVER, NULL, Account, Bools, Ints
from analysis.clocks import Clocks
from analysis.criteria import Finding
from analysis.faults import UNKNOWN, Faults
from analysis.identifiers import NONE
from analysis.record.codes import Status

NO_LAST_LOOK = (
    "The monitor did not take its last look at the database, so what was stored at the end is not known."
)


def counted(count: int, one: str) -> str:
    """So many of `one`, e.g. "1 message", "2,000 messages"."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


Tell = Callable[[int], Iterator[Finding]]  # the finding at a place, in words


class Namer:
    """Makes findings about operations and rows of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._evidence = account.evidence

    @cached_property
    def _row_of_operation(self) -> Ints:
        return self._account.row_of_operation()

    @cached_property
    def _clocks(self) -> Clocks:
        return Clocks.of(self._evidence)

    def operation(self, number: int, why: str, **more: Any) -> Finding:
        """A finding about a message as it was sent; its row is named as far as one is known."""
        operation = self._account.operations.iloc[number]
        evidence = self._evidence
        message, seq = int(operation["message_id"]), int(operation["seq"])
        if (row := int(self._row_of_operation[number])) != NONE:  # where no answer told them
            stored = self._account.rows.iloc[row]
            message = int(stored["message_id"]) if message == NONE else message
            seq = int(stored["seq"]) if seq == NULL else seq
        named = {
            "chat_id": evidence.chats.text(operation["chat_id"]),
            "seq": None if seq == NULL else seq,
            "message_id": evidence.messages.text(message),
            "client_generated_id": evidence.messages.text(operation["client_generated_id"]),
            "sender_id": evidence.people.text(operation["user_id"]),
            "at_ns": self._time(operation["left_ns"], operation["clock"]),
        }
        return Finding(why=why, **(named | more))

    def row(self, number: int, why: str, **more: Any) -> Finding:
        """A finding about a row as it is stored."""
        row = self._account.rows.iloc[number]
        evidence = self._evidence
        client_id, sender = int(row["client_generated_id"]), int(row["sender_id"])
        operation = int(row["operation"])
        if NONE in {client_id, sender} and operation != NONE:  # where no look saw them
            sent = self._account.operations.iloc[operation]
            client_id = int(sent["client_generated_id"]) if client_id == NONE else client_id
            sender = int(sent["user_id"]) if sender == NONE else sender
        named = {
            "chat_id": evidence.chats.text(row["chat_id"]),
            "seq": None if int(row["seq"]) == NULL else int(row["seq"]),
            "message_id": evidence.messages.text(row["message_id"]),
            "client_generated_id": evidence.messages.text(client_id),
            "sender_id": evidence.people.text(sender),
            "at_ns": int(row["first_at_ns"]),
        } | more
        return Finding(why=why, **(named | {"at_ns": known_time(named["at_ns"])}))

    def event(self, position: int, why: str) -> Finding:
        """A finding about the event at `position`; ``{person}`` in the sentence becomes its receiver."""
        evidence = self._evidence
        event = evidence.events.iloc[position]
        receiver = int(event["user_id"])
        sentence = why.format(person=self.person(receiver))
        recipient, at_ns = evidence.people.text(receiver), self._time(event["received_ns"], event["clock"])
        row = int(self._account.row_of_message[event["message_id"]])
        if row >= 0:
            return self.row(row, sentence, recipient_id=recipient, at_ns=at_ns)
        return Finding(
            why=sentence,
            chat_id=evidence.chats.text(event["chat_id"]),
            seq=None if event["seq"] == NULL else int(event["seq"]),
            message_id=evidence.messages.text(event["message_id"]),
            sender_id=evidence.people.text(event["sender_id"]),
            recipient_id=recipient,
            at_ns=at_ns,
        )

    def rows(self, numbers: Iterable[int]) -> str:
        """The ids of rows, for use in a sentence, which says it of those that are gone."""
        rows = self._account.rows
        return ", ".join(
            self.message(rows["message_id"].iloc[number]) + (" (gone)" if rows["gone"].iloc[number] else "")
            for number in numbers
        )

    def of_operations(self, numbers: Ints, tell: Tell, kind: Ints | None = None) -> Faults:
        """Faults of these messages as they were sent, each at the time when it left; without `kind` all say the same."""
        left_ns, clock, chat = _at(self._account.operations, numbers, "left_ns", "clock", "chat_id")
        return _faults(self._clocks.dated(left_ns, clock), chat, tell, kind)

    def of_rows(
        self, numbers: Ints, tell: Tell, kind: Ints | None = None, at_ns: Ints | None = None
    ) -> Faults:
        """Faults of these rows, each at the time when the monitor first saw it, or else `at_ns`."""
        first_at_ns, chat = _at(self._account.rows, numbers, "first_at_ns", "chat_id")
        return _faults(first_at_ns if at_ns is None else at_ns, chat, tell, kind)

    def of_events(self, positions: Ints, why: Callable[[int], str], kind: Ints | None = None) -> Faults:
        """Faults that are events, each at the time when it came, with the sentence of each place as `event` takes it."""
        events = self._evidence.events
        received_ns, clock, shown_in = _at(events, positions, "received_ns", "clock", "chat_id")
        row = self._account.row_of_message[events["message_id"].to_numpy()[positions]]
        (stored_in,) = _at(self._account.rows, row, "chat_id")

        def tell(place: int) -> Iterator[Finding]:
            yield self.event(int(positions[place]), why(place))

        chat = np.where(row >= 0, stored_in, shown_in)
        return _faults(self._clocks.dated(received_ns, clock), chat, tell, kind)

    def _time(self, at_ns: int, clock: int) -> int | None:
        """The time of a finding, by the run's clock."""
        return known_time(int(self._clocks.dated(np.array([at_ns]), np.array([clock]))[0]))

    def person(self, code: int) -> str:
        """A person's id, for use in a sentence."""
        return self._evidence.people.text(code) or "somebody unknown"

    def message(self, code: int) -> str:
        """A message's id, for use in a sentence."""
        return self._evidence.messages.text(code) or "no id"


def either(first: Bools, one: Faults, other: Faults) -> Faults:
    """At each place the fault of `one` where it is `first`, else that of `other`; these are two kinds at least."""
    return Faults(
        at_ns=np.where(first, one.at_ns, other.at_ns),
        chat=np.where(first, one.chat, other.chat),
        kind=np.where(first, 2 * one.kind, 2 * other.kind + 1),
        tell=lambda place: (one if first[place] else other).tell(place),
    )


def both(one: Faults, other: Faults) -> Faults:
    """The faults of `one`, and then those of `other`, which are of other kinds."""
    size = len(one.kind)
    return Faults(
        at_ns=np.concatenate([one.at_ns, other.at_ns]),
        chat=np.concatenate([one.chat, other.chat]),
        kind=np.concatenate([2 * one.kind, 2 * other.kind + 1]),
        tell=lambda place: one.tell(place) if place < size else other.tell(place - size),
    )


def _faults(at_ns: Ints, chat: Ints, tell: Tell, kind: Ints | None) -> Faults:
    return Faults(at_ns, chat, np.zeros(len(chat), np.int64) if kind is None else kind, tell)


def _at(frame: pd.DataFrame, numbers: Ints, *columns: str) -> Iterator[Ints]:
    """These columns at `numbers`; `UNKNOWN` where a number is -1."""
    for column in columns:
        yield np.append(frame[column].to_numpy(np.int64), UNKNOWN)[numbers]


def seconds(duration_ns: int) -> str:
    """A duration for a sentence."""
    return f"{duration_ns / 1e9:,.2f} s"


def status_word(code: int) -> str:
    """A status for a sentence, as the database spells it."""
    return {Status.NULL: "NULL", Status.OTHER: "an unknown text"}.get(
        Status(code), f"`{Status(code).name.lower()}`"
    )


def known_time(at_ns: int | None) -> int | None:
    """None for `NEVER`."""
    return None if at_ns == NEVER else at_ns
