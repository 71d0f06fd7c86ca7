"""`realtime.*`: what came over the sockets, against what is stored and what was owed."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Bools, Ints, pair
from analysis.checks.deliveries import Deliveries
from analysis.checks.findings import NO_LAST_LOOK, Namer, first_examples
from analysis.checks.subscriptions import participation_keys, positions
from analysis.criteria import Criterion, Finding, from_findings
from analysis.record.tables import EventType, Outcome


def missed(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.missed`: owed by Realtime, and no event brought it. Reading it in history does not excuse it."""
    faults = np.flatnonzero(deliveries.owed & ~deliveries.arrived)
    person = participation_keys(account) & 0xFFFFFFFF
    namer = Namer(account)

    def findings() -> Iterator[Finding]:
        for number in faults.tolist():
            code = int(person[deliveries.participation[number]])
            why = f"No event brought this message to {namer.person(code)}, who was subscribed to its chat all the time"
            read = "; it was found by reading history." if deliveries.read[number] else "."
            yield namer.row(
                int(deliveries.row[number]), why + read, recipient_id=account.evidence.people.text(code)
            )

    caught_up = deliveries.read & ~deliveries.arrived & ~deliveries.owed
    return from_findings(
        "realtime.missed",
        "Every subscribed participant gets every message",
        "deliveries",
        int(deliveries.owed.sum()),
        first_examples(findings()),
        count=len(faults),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={
            "arrived": int(deliveries.arrived.sum()),
            "caught_up": int(caught_up.sum()),
            "not_in_history": int(
                (deliveries.owed_by_history & ~deliveries.read & ~deliveries.arrived).sum()
            ),
        },
    )


def duplicated(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.duplicated`: one subscription brought the same message twice.

    A message that comes once more by the next subscription, after a reconnect or a new join, is no fault:
    Realtime cannot know what the last one still brought. Such repeats are counted.
    """
    inserts = _inserts(account, deliveries)
    person = pair(inserts["user_id"].to_numpy(), inserts["message_id"].to_numpy())
    again = pd.Series(person).duplicated().to_numpy()
    within = inserts.duplicated(["process", "user_id", "socket", "subscription", "message_id"]).to_numpy()
    faults = np.flatnonzero(within)
    namer = Namer(account)
    return from_findings(
        "realtime.duplicated",
        "No message comes twice",
        "events",
        len(inserts),
        first_examples(
            _about(
                account,
                namer,
                inserts.iloc[number],
                "This message came to {person} again on the same subscription.",
            )
            for number in faults.tolist()
        ),
        count=len(faults),
        facts={"repeated_by_another_subscription": int((again & ~within).sum())},
    )


def reordered(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.reordered`: one subscription brought a message after another of the chat with a higher seq.

    The order is that in which the events were read from the socket; a second copy is `realtime.duplicated`.
    """
    inserts = _inserts(account, deliveries)
    by = ["process", "user_id", "socket", "subscription", "chat_id"]
    row = account.row_of_message[inserts["message_id"].to_numpy()]
    rows = account.rows
    stored_seq = np.append(rows["seq"].to_numpy(np.int64), NULL)[row]
    mine = (np.append(rows["operation"].to_numpy(np.int64), NULL)[row] >= 0) & (stored_seq != NULL)
    inserts = inserts.assign(stored_seq=stored_seq)[mine].drop_duplicates([*by, "message_id"])
    highest = inserts.groupby(by)["stored_seq"].cummax().to_numpy()
    faults = np.flatnonzero(highest > inserts["stored_seq"].to_numpy())
    namer = Namer(account)
    return from_findings(
        "realtime.reordered",
        "Messages come in the order of their seq",
        "events",
        len(inserts),
        first_examples(
            _about(
                account,
                namer,
                inserts.iloc[number],
                f"This message came to {{person}} after seq {highest[number]} of the same chat.",
            )
            for number in faults.tolist()
        ),
        count=len(faults),
    )


def phantom(account: Account) -> Criterion:
    """`realtime.phantom`: an event shows something that is not stored, or shows it to somebody else.

    A message is known when the monitor saw its row or an ok answer named it. The seq and text of an event
    must be those of the row, or those that were sent; the receiver must be in the chat.
    """
    events = account.evidence.events
    shown = np.flatnonzero(
        (events["type"].to_numpy() != EventType.DELETE) & (events["message_id"].to_numpy() >= 0)
    )
    events = events.iloc[shown]
    rows, operations = account.rows, account.operations
    row = account.row_of_message[events["message_id"].to_numpy()]
    seen = row >= 0
    sends = account.evidence.sends
    acknowledged = sends.loc[sends["outcome"] == Outcome.OK, "message_id"].unique()
    known = seen | np.isin(events["message_id"].to_numpy(), acknowledged)

    def of_row(column: str) -> Ints:
        values: Ints = np.append(rows[column].to_numpy(np.int64), NULL)[row]
        return values

    operation = np.append(rows["operation"].to_numpy(np.int64), NULL)[row]
    sent_checksum = np.append(operations["text_crc32"].to_numpy(np.int64), NULL)[operation]
    checksum, seq = events["text_crc32"].to_numpy(), events["seq"].to_numpy()
    unlike_text = (
        (operation >= 0)
        & (checksum != NULL)
        & (checksum != of_row("text_crc32"))
        & (checksum != sent_checksum)
    )
    unlike_seq = (operation >= 0) & (seq != NULL) & (of_row("seq") != NULL) & (seq != of_row("seq"))
    key = pair(events["chat_id"].to_numpy(), events["user_id"].to_numpy())
    of_run = np.isin(events["chat_id"].to_numpy(), account.evidence.participants["chat_id"].to_numpy())
    outsider = of_run & (positions(participation_keys(account), key) < 0)
    unknown = of_run & ~known
    whole = account.last_look_ns is not None
    faulty = outsider | unlike_text | unlike_seq | (unknown & whole)
    faults = np.flatnonzero(faulty)
    namer = Namer(account)

    def why(number: int) -> str:
        if outsider[number]:
            return "This event came to {person}, who is not in the chat."
        if unknown[number]:
            return "An event showed {person} this message, and no such message was ever stored."
        if unlike_seq[number]:
            return f"An event showed {{person}} this message with seq {seq[number]}, and another is stored."
        return "An event showed {person} this message with another text than was sent or stored."

    return from_findings(
        "realtime.phantom",
        "No event shows what is not stored",
        "events",
        len(events),
        first_examples(
            _about(account, namer, events.iloc[number], why(number)) for number in faults.tolist()
        ),
        count=len(faults),
        inconclusive=None if whole else NO_LAST_LOOK,
        facts={"other_chats": int((~of_run).sum())},
    )


def _inserts(account: Account, deliveries: Deliveries) -> pd.DataFrame:
    """The INSERT events of messages that are known, with the subscription that brought each."""
    events = account.evidence.events
    wanted: Bools = (events["type"].to_numpy() == EventType.INSERT) & (
        account.row_of_message[events["message_id"].to_numpy()] >= 0
    )
    columns = ["process", "user_id", "socket", "chat_id", "message_id", "received_ns", "seq", "sender_id"]
    return events.loc[wanted, columns].assign(subscription=deliveries.subscriptions.of_event[wanted])


def _about(account: Account, namer: Namer, event: "pd.Series[int]", why: str) -> Finding:
    """A finding about an event; ``{person}`` in the sentence becomes its receiver."""
    evidence = account.evidence
    row = int(account.row_of_message[event["message_id"]])
    receiver = int(event["user_id"])
    recipient, at_ns = evidence.people.text(receiver), int(event["received_ns"])
    sentence = why.format(person=namer.person(receiver))
    if row >= 0:
        return namer.row(row, sentence, recipient_id=recipient, at_ns=at_ns)
    return Finding(
        why=sentence,
        chat_id=evidence.chats.text(event["chat_id"]),
        seq=None if event["seq"] == NULL else int(event["seq"]),
        message_id=evidence.messages.text(event["message_id"]),
        sender_id=evidence.people.text(event["sender_id"]),
        recipient_id=recipient,
        at_ns=at_ns,
    )
