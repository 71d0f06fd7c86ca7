"""Whom a fault of the whole environment touched: what the database holds in the end, and what passed the proxy."""

from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg

from analysis.evidence import Evidence
from analysis.record import Chat
from analysis.record.codes import AttemptKind, Guise
from tests.adversary.expectations import Named
from tests.adversary.truth import OUTSIDERS, Page, Stored, Truth
from tests.locustfiles.soaks import query
from tests.staging.stages import RunningStage

# Times at the proxy and in the tool differ by the way between them; what lies closer together is open.
CLOSE_NS = 1_000_000_000


@dataclass(frozen=True)
class Said:
    """By criterion, what findings must say, and what they may say besides."""

    named: dict[str, list[Named]]
    may_be_named: dict[str, list[Named]]


@dataclass(frozen=True)
class Told:
    """A run that is over."""

    stage: RunningStage
    record: Evidence
    truth: Truth

    @property
    def chats(self) -> dict[str, Chat]:
        return {chat.id: chat for chat in self.record.run.chats}

    def rows(self) -> list[asyncpg.Record]:
        """All messages that its chats hold."""
        return query(
            self.stage, "select * from chat_messages where chat_id = any($1::uuid[])", list(self.chats)
        )


def nothing(told: Told) -> Said:
    """For criteria that name nobody."""
    return Said({}, {})


def every_chat_explained(told: Told) -> Said:
    """The chats on which the history query was explained."""
    chats = {told.record.chats.text(code) for code in told.record.plans["chat_id"].unique()}
    return Said({"plan.history": [[{"chat_id": chat}] for chat in sorted(map(str, chats))]}, {})


def the_largest_chat(told: Told) -> Said:
    """The chat whose numbers have come furthest."""
    largest = max(told.rows(), key=lambda row: row["seq"])
    return Said({"plan.history": [[{"chat_id": str(largest["chat_id"])}]]}, {})


def who_was_let(told: Told) -> Said:
    """Attempts that gave something, and those whose message is stored.

    But for one kind: whoever writes in another's name into a chat of their own, and is stored under their own name.
    """
    record = told.record
    attempts = record.attempts
    tried = {
        record.messages.text(key): (record.people.text(person), guise)
        for key, person, guise in zip(
            attempts["client_generated_id"], attempts["user_id"], attempts["guise"], strict=True
        )
    }
    named: list[Named] = []
    for row in told.rows():
        if (row["message_text"] or "").startswith(OUTSIDERS):
            (sender, guise), chat = tried[str(row["client_generated_id"])], told.chats[str(row["chat_id"])]
            as_it_is = sender in chat.participants and sender == str(row["sender_id"])
            if not (guise == Guise.ANOTHER_PERSON and as_it_is):
                # By its key: whoever reads or listens there afterwards may be given this very message.
                key = str(row["client_generated_id"])
                named.append([{"chat_id": chat.id, "client_generated_id": key, "sender_id": sender}])
    gave = attempts[(attempts["got"] > 0) & (attempts["kind"] != AttemptKind.SEND)]
    for chat, person, left_ns in zip(gave["chat_id"], gave["user_id"], gave["left_ns"], strict=True):
        named.append(
            [
                {
                    "chat_id": record.chats.text(chat),
                    "sender_id": record.people.text(person),
                    "at_ns": [int(left_ns), int(left_ns)],
                }
            ]
        )
    return Said({"access.denied": named}, {})


def what_the_server_did(told: Told) -> Said:
    """Numbers left out or taken away, statuses made up, events and messages of pages that were left out."""
    rows = told.rows()
    events, pages = list(_lost_events(told, rows)), list(_lost_from_pages(told, rows))
    named = {
        "seq.missing": [[{"message_id": str(row["id"])}] for row in rows if row["seq"] is None],
        "seq.gaps": list(_gaps(told, rows)),
        "status.invalid": [[{"message_id": str(row["id"])}] for row in rows if row["status"] == "seen"],
        "realtime.missed": [names for names, certain in events if certain],
        "history.pages": [names for names, certain in pages if certain],
    }
    may_be_named = {
        "realtime.missed": [names for names, certain in events if not certain],
        "history.pages": [names for names, certain in pages if not certain],
    }
    return Said(named, may_be_named)


def _gaps(told: Told, rows: list[asyncpg.Record]) -> Iterator[Named]:
    """Numbers below a chat's highest that no answer ever told."""
    given = {(message.chat, message.seq) for message in told.truth.stored.values()}
    for chat in told.chats:
        highest = max((row["seq"] or 0 for row in rows if str(row["chat_id"]) == chat), default=0)
        for seq in range(1, highest):
            if (chat, seq) not in given:
                yield [{"chat_id": chat, "seq": seq}]


def _lost_events(told: Told, rows: list[asyncpg.Record]) -> Iterator[tuple[Named, bool]]:
    """Messages of which no event passed to a subscriber, and whether it is certain that one was owed.

    It is certain when the same subscriber was there well before, and was shown a message that was sent well after.
    """
    truth = told.truth
    for row in rows:
        message = truth.stored[str(row["id"])]
        for person in told.chats[message.chat].participants:
            if (person, str(row["id"])) not in truth.shown:
                owed = truth.subscribed[person, message.chat] + CLOSE_NS < message.asked_ns and any(
                    (person, later_id) in truth.shown
                    for later_id, later in truth.stored.items()
                    if later.chat == message.chat and later.asked_ns > message.answered_ns + CLOSE_NS
                )
                yield [{"message_id": str(row["id"]), "recipient_id": person}], owed


def _lost_from_pages(told: Told, rows: list[asyncpg.Record]) -> Iterator[tuple[Named, bool]]:
    """Messages that a page lacks, and whether it is certain that they were stored before it was asked for."""
    there = {str(row["id"]): told.truth.stored[str(row["id"])] for row in rows if row["seq"] is not None}
    for page in told.truth.pages:
        if page.reader not in told.chats[page.chat].participants:
            continue
        for message_id, message in there.items():
            if _belongs(message, page) and message_id not in page.messages:
                certain = message.answered_ns + CLOSE_NS < page.asked_ns
                # A look may have seen it before its sender had the answer.
                if certain or message.asked_ns < page.asked_ns + CLOSE_NS:
                    yield [{"message_id": message_id, "recipient_id": page.reader}], certain


def _belongs(message: Stored, page: Page) -> bool:
    """Whether the page, as far as it reaches, has room for the message; an empty one reaches down to the beginning."""
    assert message.seq is not None
    seqs = [seq for seq in page.messages.values() if seq is not None]
    lowest = min(seqs, default=message.seq) if page.messages else 0
    return (
        message.chat == page.chat
        and lowest < message.seq
        and (page.before is None or message.seq < page.before)
    )
