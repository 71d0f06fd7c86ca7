"""`realtime.missed`, `.duplicated`, `.reordered`: what came over the sockets, against what was owed and in what order."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Ints, pair
from analysis.checks.deliveries import Deliveries, unreliable
from analysis.checks.findings import NO_LAST_LOOK, Namer
from analysis.checks.known_values import KnownValues
from analysis.checks.newest import told_too_little
from analysis.checks.restarts import restarts
from analysis.checks.subscriptions import participation_keys
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults


def missed(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.missed`: owed by Realtime, and no event brought it. Reading it in history does not excuse it."""
    restarted = restarts(account.evidence.polls)
    near = restarted.around(account)[deliveries.row]
    lacking = deliveries.owed & ~deliveries.arrived
    faults = np.flatnonzero(lacking & ~near)
    unclear = np.flatnonzero(lacking & near)
    person = participation_keys(account) & 0xFFFFFFFF
    shut_out = deliveries.shut_out[faults]
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
        or _undecided(deliveries)
        or _not_awaited(deliveries)
        or _unread(deliveries)
        or told_too_little(account)
        or _around(deliveries, unclear, len(restarted.after_ns)),
        facts={
            "arrived": int(deliveries.arrived.sum()),
            "caught_up": int(caught_up.sum()),
            "undecided": int(deliveries.undecided.sum()),
            "unawaited": int(deliveries.unawaited.sum()),
            "unread": int(deliveries.unread.sum()),
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
    never = np.setdiff1d(subscribed.asked, subscribed.table["participation"].to_numpy())
    if not len(never):
        return None
    count = "1 subscription" if len(never) == 1 else f"{len(never)} subscriptions"
    return (
        f"{count} of people to their chats could not be had: refused until the end, or never confirmed. Nothing can be said of "
        "what these people should have received: see the errors of `WS subscribe` in Locust's statistics."
    )


def _not_awaited(deliveries: Deliveries) -> str | None:
    """The sentence about people who went offline without knowing of the newest message of their chat."""
    count = int(deliveries.unawaited.sum())
    if not count:
        return None
    people = len(np.unique(deliveries.participation[deliveries.unawaited]))
    some = "1 participation was" if people == 1 else f"{people:,} participations were"
    return (
        f"{some} drained without knowing the newest seq of the chat: {count:,} {'delivery' if count == 1 else 'deliveries'} of messages "
        "that were stored by then had not come, and were not waited for. See the calls of `get_latest_seq` in Locust's statistics."
    )


def _unread(deliveries: Deliveries) -> str | None:
    """The sentence about people who came back, and did not read all that they had missed."""
    count = int(deliveries.unread.sum())
    if not count:
        return None
    people = len(np.unique(deliveries.participation[deliveries.unread]))
    some = "1 participation" if people == 1 else f"{people:,} participations"
    return (
        f"{count:,} {'delivery' if count == 1 else 'deliveries'} to {some} that had lost a subscription and got another one came by "
        "neither: history should have brought them, and no page of it that could be read reaches them. See the pages that failed in "
        "Locust's statistics."
    )


def _undecided(deliveries: Deliveries) -> str | None:
    """The sentence about what did not come to machines whose clocks say nothing of when it should have."""
    count = int(deliveries.undecided.sum())
    if not count:
        return None
    return (
        f"{count:,} {'delivery' if count == 1 else 'deliveries'} that did not come would have been between machines whose clocks "
        "were never compared: it is not known whether the recipients were subscribed by then."
    )


def duplicated(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.duplicated`: one subscription brought the same message twice.

    A message that comes once more by the next subscription, after a reconnect or a new join, is no fault:
    Realtime cannot know what the last one still brought. Such repeats are counted.
    """
    position, channel, after = _known_inserts(account, deliveries)
    events = account.evidence.events
    message = events["message_id"].to_numpy()[position]
    channel = _of_either(message, channel, after)
    within = pd.Series(pair(channel, message)).duplicated().to_numpy()
    again = pd.Series(pair(events["user_id"].to_numpy()[position], message)).duplicated().to_numpy()
    faults = position[within]
    namer = Namer(account)
    return from_faults(
        "realtime.duplicated",
        "No message comes twice",
        "events",
        len(position),
        namer.of_events(faults, lambda _: "This message came to {person} again on the same subscription."),
        facts={"repeated_by_another_subscription": int((again & ~within).sum())},
    )


def reordered(account: Account, deliveries: Deliveries) -> Criterion:
    """`realtime.reordered`: one subscription brought a message after another of the chat with a higher seq.

    The order is that in which the events were read from the socket, and the seqs are those that they showed: a row may
    get another one later. A seq or chat that the message never had is `realtime.phantom`, a second copy
    `realtime.duplicated`. What came between two subscriptions of one channel is in the order of neither.
    """
    position, channel, after = _known_inserts(account, deliveries)
    events = account.evidence.events
    position, channel = position[after < 0], channel[after < 0]
    row = account.row_of_message[events["message_id"].to_numpy()[position]]
    seq = events["seq"].to_numpy(np.int64)[position]
    first = ~pd.Series(pair(channel, row)).duplicated().to_numpy()
    judged = first & (account.rows["operation"].to_numpy()[row] >= 0) & (seq != NULL)
    values = KnownValues(account)
    for field in ("seq", "chat_id"):
        value = events[field].to_numpy()[position[judged]]
        judged[judged] = values.had(field, row[judged], value)
    position, channel, seq = position[judged], channel[judged], seq[judged]
    order = np.argsort(channel, kind="stable")
    # The running maximum within each channel: a channel's keys are above all of the channels before it.
    lowest = int(seq.min()) if len(seq) else 0
    highest = np.maximum.accumulate(pair(channel[order], seq[order] - lowest))
    before = (highest & 0xFFFFFFFF) + lowest
    back = before > seq[order]
    faults, overtaken_by = position[order][back], before[back]
    namer = Namer(account)
    return from_faults(
        "realtime.reordered",
        "Messages come in the order of their seq",
        "events",
        len(position),
        namer.of_events(
            faults,
            lambda place: (
                f"This message came to {{person}} after seq {overtaken_by[place]} of the same chat."
            ),
        ),
    )


def _known_inserts(account: Account, deliveries: Deliveries) -> tuple[Ints, Ints, Ints]:
    """The INSERT events of messages with a row: positions, the channel of each, and `Subscriptions.after`.

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
    return position, channel, subscribed.after[known]


def _of_either(message: Ints, channel: Ints, after: Ints) -> Ints:
    """The channels, where what came between two subscriptions counts to the earlier one unless that had brought it before."""
    between = np.flatnonzero(after >= 0)
    if not len(between):
        return channel
    ended = pair(after[between], message[between])
    brought = np.isin(ended, pair(channel, message)[after < 0])
    copies = pd.Series(ended).groupby(ended).cumcount().to_numpy() + brought
    chosen = channel.copy()
    chosen[between] = np.where(copies == 0, after[between], channel[between])
    return chosen
