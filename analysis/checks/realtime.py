"""`realtime.*`: what came over the sockets, against what is stored and what was owed."""

from collections.abc import Callable, Iterator
from enum import IntEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.checks.account import NULL, Account, Ints, pair
from analysis.checks.deliveries import Deliveries, unreliable
from analysis.checks.findings import NO_LAST_LOOK, Namer
from analysis.checks.restarts import restarts
from analysis.checks.subscriptions import participation_keys, positions
from analysis.criteria import Criterion, Finding
from analysis.faults import Faults, from_faults
from analysis.record.codes import EventType, Outcome

EVENTS_AT_ONCE = 500_000


def missed(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.missed`: owed by Realtime, and no event brought it. Reading it in history does not excuse it."""
    restarted = restarts(account.evidence.polls)
    near = restarted.around(account)[deliveries.row]
    lacking = deliveries.owed & ~deliveries.arrived
    faults = np.flatnonzero(lacking & ~near)
    unclear = np.flatnonzero(lacking & near)
    person = participation_keys(account) & 0xFFFFFFFF
    shut_out = np.isin(deliveries.participation[faults], deliveries.subscriptions.gave_up)
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        number = faults[place]
        code = int(person[deliveries.participation[number]])
        state = (
            "could not get a lost subscription to its chat back"
            if shut_out[place]
            else "was subscribed to its chat all the time"
        )
        why = f"No event brought this message to {namer.person(code)}, who {state}"
        read = "; it was found by reading history." if deliveries.read[number] else "."
        yield namer.row(
            int(deliveries.row[number]), why + read, recipient_id=account.evidence.people.text(code)
        )

    caught_up = deliveries.read & ~deliveries.arrived & ~deliveries.owed
    return from_faults(
        "realtime.missed",
        "Every subscribed participant gets every message",
        "deliveries",
        int(deliveries.owed.sum()),
        namer.of_rows(deliveries.row[faults].astype(np.int64), tell, shut_out + 2 * deliveries.read[faults]),
        inconclusive=NO_LAST_LOOK
        if account.last_look_ns is None
        else _not_written_down(account)
        or _never_let_in(deliveries)
        or _around(deliveries, unclear, len(restarted.after_ns)),
        facts={
            "arrived": int(deliveries.arrived.sum()),
            "caught_up": int(caught_up.sum()),
            "around_restarts": len(unclear),
            "not_in_history": int(
                (deliveries.owed_by_history & ~deliveries.read & ~deliveries.arrived).sum()
            ),
        },
    )


def _not_written_down(account: Account) -> str | None:
    """The sentence about load processes whose record lacks what their users received."""
    processes = [account.evidence.parts[number].name for number in unreliable(account)]
    if not processes:
        return None
    return (
        f"What the users of {', '.join(processes)} received is not known: their record could not be written."
    )


def _around(deliveries: Deliveries, unclear: Ints, times: int) -> str | None:
    """The sentence about what did not come while PostgreSQL restarted."""
    if not len(unclear):
        return None
    read = int(deliveries.read[unclear].sum())
    count = f"{len(unclear):,} {'delivery' if len(unclear) == 1 else 'deliveries'}"
    return (
        f"PostgreSQL went away {'once' if times == 1 else f'{times} times'} while the load ran. Realtime's replication slot does "
        f"not outlive that: {count} of messages that were stored around then did not come by it ({read:,} of them "
        "were found by reading history)."
    )


def _never_let_in(deliveries: Deliveries) -> str | None:
    """The sentence about people who could not subscribe at all: of what they were owed nothing is known."""
    subscribed = deliveries.subscriptions
    never = np.setdiff1d(subscribed.gave_up, subscribed.table["participation"].to_numpy())
    if not len(never):
        return None
    return (
        f"{len(never)} subscriptions of people to their chats were refused until the end, so that nothing can be said of "
        "what these people should have received: see the errors of `WS subscribe` in Locust's statistics."
    )


def duplicated(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.duplicated`: one subscription brought the same message twice.

    A message that comes once more by the next subscription, after a reconnect or a new join, is no fault:
    Realtime cannot know what the last one still brought. Such repeats are counted.
    """
    position, channel = _known_inserts(account, deliveries)
    events = account.evidence.events
    message = events["message_id"].to_numpy()[position]
    within = pd.Series(pair(channel, message)).duplicated().to_numpy()
    again = pd.Series(pair(events["user_id"].to_numpy()[position], message)).duplicated().to_numpy()
    faults = position[within]
    about = _Teller(account)
    return from_faults(
        "realtime.duplicated",
        "No message comes twice",
        "events",
        len(position),
        about.events(faults, lambda _: "This message came to {person} again on the same subscription."),
        facts={"repeated_by_another_subscription": int((again & ~within).sum())},
    )


def reordered(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.reordered`: one subscription brought a message after another of the chat with a higher seq.

    The order is that in which the events were read from the socket; a second copy is `realtime.duplicated`.
    """
    position, channel = _known_inserts(account, deliveries)
    rows = account.rows
    row = account.row_of_message[account.evidence.events["message_id"].to_numpy()[position]]
    first = ~pd.Series(pair(channel, row)).duplicated().to_numpy()
    numbered = (rows["operation"].to_numpy()[row] >= 0) & (rows["seq"].to_numpy()[row] != NULL)
    position, channel = position[first & numbered], channel[first & numbered]
    seq = rows["seq"].to_numpy(np.int64)[row[first & numbered]]
    order = np.argsort(channel, kind="stable")
    # The running maximum within each channel: a channel's keys are above all of the channels before it.
    lowest = int(seq.min()) if len(seq) else 0
    highest = np.maximum.accumulate(pair(channel[order], seq[order] - lowest))
    before = (highest & 0xFFFFFFFF) + lowest
    back = before > seq[order]
    faults, after = position[order][back], before[back]
    about = _Teller(account)
    return from_faults(
        "realtime.reordered",
        "Messages come in the order of their seq",
        "events",
        len(position),
        about.events(
            faults,
            lambda place: f"This message came to {{person}} after seq {after[place]} of the same chat.",
        ),
    )


def phantom(account: Account) -> Criterion:
    """`realtime.phantom`: an event shows something that is not stored, or shows it to somebody else.

    A message is known when the monitor saw its row or an ok answer named it. The seq and text of an event
    must be those of the row, or those that were sent; the receiver must be in the chat. Of messages from before
    the run, whose seq is not above the chat's baseline, nothing is known.
    """
    events = account.evidence.events
    shown = np.flatnonzero(
        (events["type"].to_numpy() != EventType.DELETE) & (events["message_id"].to_numpy() >= 0)
    )
    judge = _EventJudge(account)
    wrongs = [judge.wrong(part) for part in np.array_split(shown, len(shown) // EVENTS_AT_ONCE + 1)]
    wrong = np.concatenate(wrongs)
    whole = account.last_look_ns is not None
    faults = np.flatnonzero((wrong != _Wrong.NOTHING) & (whole | (wrong != _Wrong.UNKNOWN)))
    about = _Teller(account)
    return from_faults(
        "realtime.phantom",
        "No event shows what is not stored",
        "events",
        len(shown),
        about.events(
            shown[faults],
            lambda place: _Wrong(wrong[faults[place]]).sentence,
            wrong[faults].astype(np.int64),
        ),
        inconclusive=None if whole else NO_LAST_LOOK,
    )


class _Wrong(IntEnum):
    """What an event got wrong."""

    NOTHING = 0
    TEXT = 1
    SEQ = 2
    UNKNOWN = 3
    OUTSIDER = 4

    @property
    def sentence(self) -> str:
        return {
            _Wrong.TEXT: "An event showed {person} this message with another text than was sent or stored.",
            _Wrong.SEQ: "An event showed {person} this message with another seq than is stored.",
            _Wrong.UNKNOWN: "An event showed {person} this message, and no such message was ever stored.",
            _Wrong.OUTSIDER: "This event came to {person}, who is not in the chat.",
        }[self]


class _EventJudge:
    """Holds events against the rows, some at a time, so that millions of them take little memory."""

    def __init__(self, account: Account) -> None:
        evidence, rows = account.evidence, account.rows
        self._events = evidence.events
        self._row_of_message = account.row_of_message
        self._keys = participation_keys(account)
        self._of_run = np.zeros(len(evidence.chats) + 1, np.bool_)
        self._baseline = np.append(account.baseline, NULL)
        self._of_run[evidence.participants["chat_id"].to_numpy()] = True
        operation = rows["operation"].to_numpy(np.int64)
        sent_checksum = np.append(account.operations["text_crc32"].to_numpy(np.int64), NULL)
        # The last of each is for the position -1, of a message that has no row.
        self._mine = np.append(operation >= 0, False)
        self._seq = np.append(rows["seq"].to_numpy(np.int64), NULL)
        self._checksum = np.append(rows["text_crc32"].to_numpy(np.int64), NULL)
        self._sent_checksum = np.append(sent_checksum[operation], NULL)
        sends = evidence.sends
        self._acknowledged = np.zeros(len(evidence.messages) + 1, np.bool_)
        self._acknowledged[sends["message_id"].to_numpy()[sends["outcome"].to_numpy() == Outcome.OK]] = True
        self._acknowledged[-1] = False

    def wrong(self, positions_: Ints) -> NDArray[np.int8]:
        """What is wrong with the events at these positions: `_Wrong`."""
        of_events = {name: self._events[name].to_numpy()[positions_] for name in _JUDGED}
        message, chat = of_events["message_id"], of_events["chat_id"]
        row = self._row_of_message[message]
        mine = self._mine[row]
        checksum, seq = of_events["text_crc32"].astype(np.int64), of_events["seq"].astype(np.int64)
        found = np.zeros(len(row), np.int8)
        unlike = (checksum != self._checksum[row]) & (checksum != self._sent_checksum[row])
        found[mine & (checksum != NULL) & unlike] = _Wrong.TEXT
        stored_seq = self._seq[row]
        found[mine & (seq != NULL) & (stored_seq != NULL) & (seq != stored_seq)] = _Wrong.SEQ
        of_run = self._of_run[chat]
        # Messages from before the run are not the monitor's to see; their statuses go on changing.
        old = (seq != NULL) & (seq <= self._baseline[chat])
        found[of_run & (row < 0) & ~self._acknowledged[message] & ~old] = _Wrong.UNKNOWN
        outsider = positions(self._keys, pair(chat, of_events["user_id"])) < 0
        found[of_run & outsider] = _Wrong.OUTSIDER
        return found


_JUDGED = ("message_id", "chat_id", "user_id", "seq", "text_crc32")


def _known_inserts(account: Account, deliveries: Deliveries) -> tuple[Ints, Ints]:
    """The INSERT events of messages with a row: positions, and the channel of each.

    A channel is the subscription that brought the event; events that no subscription accounts for have one
    for each socket and chat.
    """
    subscribed, events = deliveries.subscriptions, account.evidence.events
    known = account.row_of_message[events["message_id"].to_numpy()[subscribed.inserts]] >= 0
    position, channel = subscribed.inserts[known], subscribed.of_insert[known]
    stray = channel < 0
    if stray.any():
        columns = ["process", "socket", "user_id", "chat_id"]
        number = events.iloc[position[stray]].groupby(columns, sort=False).ngroup().to_numpy()
        channel[stray] = len(subscribed.table) + number
    return position, channel


class _Teller:
    """Makes findings about events."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._namer = Namer(account)

    def events(self, positions_: Ints, why: Callable[[int], str], kind: Ints | None = None) -> Faults:
        """Faults that are events, with the sentence of each place; without `kind` all say the same."""
        events, rows = self._account.evidence.events, self._account.rows
        row = self._account.row_of_message[events["message_id"].to_numpy()[positions_]]
        of_row = np.append(rows["chat_id"].to_numpy(np.int64), NULL)[row]

        def tell(place: int) -> Iterator[Finding]:
            yield self._event(int(positions_[place]), why(place))

        return Faults(
            at_ns=events["received_ns"].to_numpy(np.int64)[positions_],
            chat=np.where(row >= 0, of_row, events["chat_id"].to_numpy(np.int64)[positions_]),
            kind=np.zeros(len(row), np.int64) if kind is None else kind,
            tell=tell,
        )

    def _event(self, position: int, why: str) -> Finding:
        """A finding about the event at `position`; ``{person}`` in the sentence becomes its receiver."""
        evidence = self._account.evidence
        event = evidence.events.iloc[position]
        row = int(self._account.row_of_message[event["message_id"]])
        receiver = int(event["user_id"])
        recipient, at_ns = evidence.people.text(receiver), int(event["received_ns"])
        sentence = why.format(person=self._namer.person(receiver))
        if row >= 0:
            return self._namer.row(row, sentence, recipient_id=recipient, at_ns=at_ns)
        return Finding(
            why=sentence,
            chat_id=evidence.chats.text(event["chat_id"]),
            seq=None if event["seq"] == NULL else int(event["seq"]),
            message_id=evidence.messages.text(event["message_id"]),
            sender_id=evidence.people.text(event["sender_id"]),
            recipient_id=recipient,
            at_ns=at_ns,
        )
