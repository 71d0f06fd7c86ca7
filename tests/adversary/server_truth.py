"""Whom a fault of the whole environment touched: what the database holds in the end, and what passed the proxy."""

from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg

from analysis.evidence import Evidence
from analysis.record import Chat
from tests.adversary.expectations import Named
from tests.adversary.intruders import Intruders
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
    intruders: Intruders

    @property
    def chats(self) -> dict[str, Chat]:
        return {chat.id: chat for chat in self.record.run.chats}

    def rows(self) -> list[asyncpg.Record]:
        """All messages that its chats hold."""
        return query(
            self.stage, "select * from chat_messages where chat_id = any($1::uuid[])", list(self.chats)
        )

    def sent(self) -> list[asyncpg.Record]:
        """Those of them that are no outsider's."""
        return [row for row in self.rows() if not (row["message_text"] or "").startswith(OUTSIDERS)]


def nothing(told: Told) -> Said:
    """For criteria that name nobody."""
    return Said({}, {})


def the_three_largest_chats(told: Told) -> Said:
    """Those whose numbers have come furthest; of chats that are level at the border any."""
    newest: dict[str, int] = {}
    for row in told.rows():
        chat = str(row["chat_id"])
        newest[chat] = max(newest.get(chat, 0), row["seq"])
    border = sorted(newest.values())[-3]
    level = [chat for chat, seq in newest.items() if seq == border]
    above: list[Named] = [[{"chat_id": chat}] for chat, seq in newest.items() if seq > border]
    at_the_border: list[Named] = [[{"chat_id": chat}] for chat in level]
    if len(above) + len(level) == 3:
        return Said({"plan.history": above + at_the_border}, {})
    return Said({"plan.history": above}, {"plan.history": at_the_border})


def the_largest_chat(told: Told) -> Said:
    """The chat whose numbers have come furthest."""
    largest = max(told.rows(), key=lambda row: row["seq"])
    return Said({"plan.history": [[{"chat_id": str(largest["chat_id"])}]]}, {})


def what_the_server_did(told: Told) -> Said:
    """Numbers left out or taken away, statuses made up, events and messages of pages that were left out."""
    rows = told.sent()
    events, pages = list(_lost_events(told, rows)), list(_lost_from_pages(told, rows))
    gaps = list(_gaps(told, told.rows()))
    named = {
        "seq.missing": [[{"message_id": str(row["id"])}] for row in rows if row["seq"] is None],
        "seq.gaps": [names for names, certain in gaps if certain],
        "status.invalid": [[{"message_id": str(row["id"])}] for row in rows if row["status"] == "seen"],
        "realtime.missed": [names for names, certain in events if certain],
        "history.pages": [names for names, certain in pages if certain],
    }
    may_be_named = {
        "seq.gaps": [names for names, certain in gaps if not certain],
        "realtime.missed": [names for names, certain in events if not certain],
        "history.pages": [names for names, certain in pages if not certain],
    }
    return Said(named, may_be_named)


def _gaps(told: Told, rows: list[asyncpg.Record]) -> Iterator[tuple[Named, bool]]:
    """Numbers below a chat's highest that no answer ever told, and whether it is certain that the tool did not see one.

    Of an outsider's message the answer's seq is not looked at: when it loses its seq, an event may have told of it.
    """
    stored = told.truth.stored
    emptied = {stored[str(row["id"])] for row in rows if row["seq"] is None} - {
        stored[str(row["id"])] for row in told.sent()
    }
    open_to_doubt = {(message.chat, message.seq) for message in emptied}
    given = {(message.chat, message.seq) for message in told.truth.stored.values()}
    for chat in told.chats:
        highest = max((row["seq"] or 0 for row in rows if str(row["chat_id"]) == chat), default=0)
        for seq in range(1, highest):
            if (chat, seq) not in given or (chat, seq) in open_to_doubt:
                yield [{"chat_id": chat, "seq": seq}], (chat, seq) not in open_to_doubt


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
