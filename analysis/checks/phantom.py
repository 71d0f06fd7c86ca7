"""`realtime.phantom`: what events showed, against what is stored and who may see it."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from analysis.checks.account import NULL, Account, Bools, Ints, pair
from analysis.checks.deliveries import unreliable
from analysis.checks.departures import Departures
from analysis.checks.findings import NO_LAST_LOOK, Namer
from analysis.checks.fleeting import Fleeting
from analysis.checks.known_values import KnownValues
from analysis.checks.moments import MomentsOfRows
from analysis.checks.owed import CERTAIN_AFTER_NS
from analysis.checks.spells import Spells
from analysis.checks.subscriptions import ENDLESS, Subscriptions, participation_keys, positions
from analysis.clocks import Clocks
from analysis.criteria import Criterion
from analysis.faults import from_faults
from analysis.identifiers import NONE
from analysis.record.codes import EventType, ObservedChange, Outcome

EVENTS_AT_ONCE = 500_000


class Wrong(IntEnum):
    """What an event got wrong. Of several, the last counts."""

    NOTHING = 0
    TEXT = 1
    SEQ = 2
    SENDER = 3
    ASTRAY = 4
    CHAT = 5
    UNSEEN = 6  # nothing that is certain: see `analysis.checks.fleeting`
    UNKNOWN = 7
    LEFT = 8
    DEPARTED = 9
    OUTSIDER = 10
    STILL_THERE = 11  # of a DELETE, which is judged by nothing else

    @property
    def sentence(self) -> str:
        return {
            Wrong.TEXT: "An event showed {person} this message without a text, or with another text than was sent or stored.",
            Wrong.SEQ: "An event showed {person} this message without a seq, or with another seq than is stored.",
            Wrong.SENDER: "An event showed {person} this message with another sender than is stored.",
            Wrong.ASTRAY: "This event names no chat of the run, and {person} had subscribed to no other.",
            Wrong.CHAT: "An event showed {person} this message in another chat than is stored.",
            Wrong.UNKNOWN: "An event showed {person} this message, and no such message was ever stored.",
            Wrong.LEFT: "This event came to {person} more than "
            f"{CERTAIN_AFTER_NS // 1_000_000_000} s after their subscription on that socket had ended.",
            Wrong.DEPARTED: "This message was sent after {person} had left the chat, and an event showed it to them.",
            Wrong.STILL_THERE: "An event told {person} that this message had been deleted, and every later look found it stored.",
            Wrong.OUTSIDER: "This event came to {person}, who is not in the chat.",
        }[self]


def phantom(account: Account, subscribed: Subscriptions) -> Criterion:
    """`realtime.phantom`: an event shows something that is not stored, or shows it to somebody else.

    A message is known when the monitor saw its row, an ok answer named it, or an event told of its deletion. Seq, text,
    sender and chat of an event must be such as the row ever had, or as were sent or answered; an INSERT must have the last
    three, and the seq where the INSERTs of this app tell any. A DELETE must not tell of a message that the last look found, as
    all before it did. The receiver must be in the chat, or perhaps have been added to it by then, and not have left it so long
    ago that the event cannot have been on its way; nor may they have left the chat itself before the message left its sender.
    The chat must be one of the run, which users subscribe to and no other, whosever message it is and wherever that is stored: of
    other chats nobody knows. An UPDATE need not tell its chat.
    Of messages from before the run, whose
    seq is not above the chat's baseline, nothing is known but their updates.
    """
    events = account.evidence.events
    deleted = _deleted(account)
    shown = np.flatnonzero(
        (events["type"].to_numpy() != EventType.DELETE) & (events["message_id"].to_numpy() >= 0)
    )
    judge = _EventJudge(account, subscribed)
    wrongs = [judge.wrong(part) for part in np.array_split(shown, len(shown) // EVENTS_AT_ONCE + 1)]
    false = np.where(_still_there(account, deleted), Wrong.STILL_THERE, Wrong.NOTHING)
    wrong = np.concatenate([*wrongs, false.astype(np.int8)])
    shown = np.concatenate([shown, deleted])
    whole = account.last_look_ns is not None
    unseen = int((wrong == Wrong.UNSEEN).sum())
    faults = np.flatnonzero(
        (wrong != Wrong.NOTHING) & (wrong != Wrong.UNSEEN) & (whole | (wrong != Wrong.UNKNOWN))
    )
    return from_faults(
        "realtime.phantom",
        "No event shows what is not stored",
        "events",
        len(shown),
        Namer(account).of_events(
            shown[faults],
            lambda place: Wrong(wrong[faults[place]]).sentence,
            wrong[faults].astype(np.int64),
        ),
        inconclusive=_unseen(unseen) if whole else NO_LAST_LOOK,
        facts={"unseen_of_others": unseen},
    )


def _deleted(account: Account) -> Ints:
    """The positions of the events that told of the deletion of a message of the run that a look saw."""
    events = account.evidence.events
    row = account.row_of_message[events["message_id"].to_numpy()]
    mine = np.append(account.rows["operation"].to_numpy() >= 0, False)[row]
    return np.flatnonzero(mine & (events["type"].to_numpy() == EventType.DELETE))


def _still_there(account: Account, deleted: Ints) -> Bools:
    """Which of these events told of a message that the last look, taken for certain later, found, as every look before it did."""
    if account.last_look_asked_ns is None:
        return np.zeros(len(deleted), np.bool_)
    evidence, clocks = account.evidence, Clocks.of(account.evidence)
    told = evidence.events[["message_id", "received_ns", "clock"]].iloc[deleted]
    gone = evidence.observations["change"].to_numpy() == ObservedChange.GONE
    stayed = ~np.isin(told["message_id"].to_numpy(), evidence.observations["message_id"].to_numpy()[gone])
    last_look = np.array([account.last_look_asked_ns]), np.array([account.monitor_clock])
    later = clocks.moments(told["received_ns"], told["clock"]).before(clocks.moments(*last_look))
    there: Bools = stayed & later
    return there


def _unseen(count: int) -> str | None:
    """The sentence about messages that no look saw, and that nobody is to blame for."""
    if not count:
        return None
    return (
        f"{count:,} {'event' if count == 1 else 'events'} showed messages that no look at the database saw, of people who are no users of "
        "the run, of sends without a clear answer, or after the last look, of load processes that did not write down all that they sent: they "
        "may have been deleted between two looks, or have come later, or never have been there."
    )


class _EventJudge:
    """Holds events against the rows, some at a time, so that millions of them take little memory."""

    def __init__(self, account: Account, subscribed: Subscriptions) -> None:
        evidence, rows = account.evidence, account.rows
        self._events = evidence.events
        self._subscribed = subscribed
        self._values = KnownValues(account)
        self._row_of_message = account.row_of_message
        self._keys = participation_keys(account)
        self._departures = Departures.of(account)
        self._there = Spells.of(account, there=True)
        self._moments = MomentsOfRows.of(account)
        # The last of each of the following is for the code or position -1: none.
        self._of_run = np.zeros(len(evidence.chats) + 1, np.bool_)
        self._of_run[evidence.participants["chat_id"].to_numpy()] = True
        self._baseline = np.append(account.baseline, NULL)
        self._mine = np.append(rows["operation"].to_numpy(np.int64) >= 0, False)
        self._unsteady = np.isin(np.arange(len(evidence.parts)), unreliable(account))
        self._stored = _told_of(account)
        numbered = self._events["seq"].to_numpy()[self._events["type"].to_numpy() == EventType.INSERT] != NULL
        # An app whose INSERTs tell no seq does not show a wrong one.
        self._has_to_tell = {field: field != "seq" or bool(numbered.any()) for field in _FIELDS}
        self._fleeting = Fleeting(account)

    def wrong(self, positions_: Ints) -> NDArray[np.int8]:
        """What is wrong with the events at these positions: `Wrong`."""
        events = self._events[_JUDGED].iloc[positions_]
        message, chat, seq = (events[name].to_numpy() for name in ("message_id", "chat_id", "seq"))
        row = self._row_of_message[message]
        insert = events["type"].to_numpy() == EventType.INSERT
        found = np.zeros(len(row), np.int8)
        for field, wrong in _FIELDS.items():
            value = events[field].to_numpy()
            judged = self._mine[row] & ((value != NULL) | (insert & self._has_to_tell[field]))
            place = np.flatnonzero(judged)
            found[place[~self._values.had(field, row[place], value[place])]] = wrong
        of_run = self._of_run[chat]
        # Realtime compares the row's chat with each subscription's: who gets this had not asked for it.
        astray = ~of_run & (insert | (chat != NONE))
        found = np.maximum(found, np.where(astray, Wrong.ASTRAY, Wrong.NOTHING).astype(np.int8))
        # Messages from before the run are not the monitor's to see; their statuses go on changing.
        old = ~insert & (seq != NULL) & (seq <= self._baseline[chat])
        unknown = np.flatnonzero(of_run & (row < 0) & ~self._stored[message] & ~old)
        found[unknown] = Wrong.UNKNOWN
        found[unknown[self._fleeting.events(positions_[unknown])]] = Wrong.UNSEEN
        ended = self._subscribed.ended_for_good(events)
        # A process that could not write all down may have joined again without our knowing.
        steady = ~self._unsteady[events["process"].to_numpy()]
        late = events["received_ns"].to_numpy() - ended > CERTAIN_AFTER_NS
        found[steady & late] = Wrong.LEFT
        key = pair(chat, events["user_id"].to_numpy())
        participation = positions(self._keys, key)
        left_ns = np.append(self._moments.earliest_left_ns, NULL)[row]  # row -1: not known
        found[left_ns > np.append(self._departures.out_since_ns, ENDLESS)[participation]] = Wrong.DEPARTED
        received = self._moments.clocks.moments(events["received_ns"], events["clock"])
        # Who may have been added while the run went on, and was not taken out before the message was sent, is no outsider.
        added = self._there.touched(key, left_ns, received.latest_ns)
        found[of_run & (participation < 0) & ~added] = Wrong.OUTSIDER
        return found


_FIELDS = {"text_crc32": Wrong.TEXT, "seq": Wrong.SEQ, "sender_id": Wrong.SENDER, "chat_id": Wrong.CHAT}
_JUDGED = ["process", "clock", "socket", "message_id", "user_id", "type", "received_ns", *_FIELDS]


def _told_of(account: Account) -> Bools:
    """Which message codes somebody else than an event of theirs told of: an ok answer, or the event of their deletion."""
    evidence = account.evidence
    told = np.zeros(len(evidence.messages) + 1, np.bool_)
    told[evidence.sends["message_id"].to_numpy()[evidence.sends["outcome"].to_numpy() == Outcome.OK]] = True
    events = evidence.events
    told[events["message_id"].to_numpy()[events["type"].to_numpy() == EventType.DELETE]] = True
    told[-1] = False
    return told
