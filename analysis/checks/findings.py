"""Findings in words: from positions in the account to the ids and the sentence that a person needs."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from analysis.checks.account import NEVER, NULL, Account
from analysis.criteria import MAX_EXAMPLES, Finding
from analysis.record.codes import Status

NO_LAST_LOOK = (
    "The monitor did not take its last look at the database, so what was stored at the end is not known."
)


def first_examples(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """As many findings as a verdict keeps; a fault that touches every message must not fill the memory."""
    return tuple(islice(findings, MAX_EXAMPLES))


class Namer:
    """Makes findings about operations and rows of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._evidence = account.evidence

    def operation(self, number: int, why: str, **more: Any) -> Finding:
        """A finding about a message as it was sent; its row is named as far as one is known."""
        operation = self._account.operations.iloc[number]
        evidence = self._evidence
        message, seq = int(operation["message_id"]), int(operation["seq"])
        named = {
            "chat_id": evidence.chats.text(operation["chat_id"]),
            "seq": None if seq == NULL else seq,
            "message_id": evidence.messages.text(message),
            "client_generated_id": evidence.messages.text(operation["client_generated_id"]),
            "sender_id": evidence.people.text(operation["user_id"]),
            "at_ns": int(operation["left_ns"]),
            "clock": int(operation["clock"]),
        }
        return Finding(why=why, **(named | more))

    def row(self, number: int, why: str, **more: Any) -> Finding:
        """A finding about a row as it is stored."""
        row = self._account.rows.iloc[number]
        evidence = self._evidence
        client_id = int(row["client_generated_id"])
        operation = int(row["operation"])
        if client_id < 0 <= operation:
            client_id = int(self._account.operations["client_generated_id"].iloc[operation])
        named = {
            "chat_id": evidence.chats.text(row["chat_id"]),
            "seq": None if int(row["seq"]) == NULL else int(row["seq"]),
            "message_id": evidence.messages.text(row["message_id"]),
            "client_generated_id": evidence.messages.text(client_id),
            "sender_id": evidence.people.text(row["sender_id"]),
            "at_ns": int(row["first_at_ns"]),
        }
        return Finding(why=why, **(named | more))

    def event(self, position: int, why: str) -> Finding:
        """A finding about the event at `position`; ``{person}`` in the sentence becomes its receiver."""
        evidence = self._evidence
        event = evidence.events.iloc[position]
        receiver = int(event["user_id"])
        sentence = why.format(person=self.person(receiver))
        seen: dict[str, Any] = {
            "recipient_id": evidence.people.text(receiver),
            "at_ns": int(event["received_ns"]),
            "clock": int(event["clock"]),
        }
        row = int(self._account.row_of_message[event["message_id"]])
        if row >= 0:
            return self.row(row, sentence, **seen)
        return Finding(
            why=sentence,
            chat_id=evidence.chats.text(event["chat_id"]),
            seq=None if event["seq"] == NULL else int(event["seq"]),
            message_id=evidence.messages.text(event["message_id"]),
            sender_id=evidence.people.text(event["sender_id"]),
            **seen,
        )

    def person(self, code: int) -> str:
        """A person's id, for use in a sentence."""
        return self._evidence.people.text(code) or "somebody unknown"

    def message(self, code: int) -> str:
        """A message's id, for use in a sentence."""
        return self._evidence.messages.text(code) or "no id"


def seconds(duration_ns: int) -> str:
    """A duration for a sentence."""
    return f"{duration_ns / 1e9:,.2f} s"


def status_word(code: int) -> str:
    """A status for a sentence, as the database spells it."""
    return {Status.NULL: "NULL", Status.OTHER: "an unknown text"}.get(
        Status(code), f"`{Status(code).name.lower()}`"
    )


def known_time(at_ns: int) -> int | None:
    """None for `NEVER`."""
    return None if at_ns == NEVER else int(at_ns)
