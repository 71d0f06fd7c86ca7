"""`access.denied`: whatever somebody tried who may not was refused.

An attempt is *granted* when it gave or changed something: a message, a number, an event, a stored row, a moved
status. It is *refused* when it did not, whatever the status code: a 404 is as good as a 403, and an empty list as
good as either, provided that there was something to be had: a message, one that came meanwhile, or one that was not yet
marked. Whom the app sends to another page for want of a valid session it has refused. Where there was nothing to be had,
or where the server did not answer, or answered 5xx or that there were too many requests, the attempt proves nothing and is
counted apart; and a pass says of whom and of what it therefore knows nothing (`analysis.checks.proof`).

Who was added to a chat while the run went on is in it with good reason: what they try from the last look on that did not see
them there is neither granted nor refused. Who had left for good, and still writes or marks, is a finding, too
(`analysis.checks.leavers`).

In another's name, in a chat of one's own, a message is right when it is stored under the name of the one who sent it.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.checks import proof
from analysis.checks.account import NEVER, NULL, Account, Bools, Ints, pair
from analysis.checks.findings import both, known_time
from analysis.checks.leavers import Leavers
from analysis.checks.marking import MARKS, WANTED, Marking
from analysis.checks.spells import Spells
from analysis.checks.subscriptions import participation_keys
from analysis.clocks import ENDLESS_NS, Clocks
from analysis.criteria import Criterion, Finding
from analysis.faults import Faults, from_faults
from analysis.identifiers import NONE
from analysis.record.codes import REDIRECTIONS, TOO_MANY_REQUESTS, AttemptKind, Guise, Outcome, Way
from analysis.record.granted import given, was_let

SOON_NS = 500_000_000  # a message that was acknowledged this long before a subscription ended had time to come by it

WITHOUT_A_SESSION = (Guise.EXPIRED_TOKEN, Guise.ALTERED_TOKEN, Guise.NO_TOKEN, Guise.ANON_KEY)


def denied(account: Account) -> Criterion:
    """`access.denied`: attempts that were granted, and what people could still do who had left."""
    evidence = account.evidence
    attempts = evidence.attempts
    clocks = Clocks.of(evidence)
    marking = Marking(account, clocks)
    stored, moved = _rows_of(account), marking.moved()
    welcome = _perhaps_welcome(account, clocks)
    granted = _granted(account, stored, welcome) | (moved != NONE) & ~welcome
    unclear = ~granted & (welcome | _unclear(account, stored))
    empty = ~granted & ~unclear & _nothing_to_be_had(account, clocks, marking)
    known = ~unclear & ~empty

    leavers = Leavers.of(account, clocks)
    of_leavers = len(leavers.operations) + len(leavers.marks)
    numbers = np.flatnonzero(granted)
    at_ns = clocks.dated(attempts["left_ns"], attempts["clock"])[numbers]

    def tell(place: int) -> Iterator[Finding]:
        number = int(numbers[place])
        attempt = attempts.iloc[number]
        kind, guise = AttemptKind(attempt["kind"]), Guise(attempt["guise"])
        message = int(attempt["message_id"])
        rows = (int(stored[number]), int(moved[number]), int(account.row_of_message[message]))
        row = next((one for one in rows if one != NONE), NONE)
        message = message if row == NONE else int(account.rows["message_id"].iloc[row])
        seq = NULL if row == NONE else int(account.rows["seq"].iloc[row])
        yield Finding(
            was_let(kind, guise, Way(attempt["way"]), _what(kind, int(attempt["got"]))),
            chat_id=evidence.chats.text(int(attempt["chat_id"])),
            seq=None if seq == NULL else seq,
            message_id=evidence.messages.text(message),
            client_generated_id=evidence.messages.text(int(attempt["client_generated_id"])),
            sender_id=evidence.people.text(int(attempt["user_id"])),
            at_ns=known_time(int(at_ns[place])),
        )

    by_guise = attempts["guise"].value_counts().to_dict()
    tried = {f"tried_{guise.name.lower()}": by_guise[guise] for guise in Guise if guise in by_guise}
    criterion = from_faults(
        "access.denied",
        "Nobody gets at what is not theirs",
        "attempts",
        int(known.sum()) + of_leavers,
        both(
            Faults(
                at_ns=at_ns,
                chat=attempts["chat_id"].to_numpy(np.int64)[numbers],
                kind=_kinds(attempts, granted),
                tell=tell,
            ),
            leavers.faults(account, clocks),
        ),
        inconclusive=None if of_leavers else proof.too_little(known, unclear & ~welcome),
        facts={"unclear": int(unclear.sum()), "nothing_to_be_had": int(empty.sum()), **tried},
    )
    return criterion if criterion.reason else replace(criterion, reason=proof.of_what_not(attempts, known))


def _kinds(attempts: pd.DataFrame, granted: Bools) -> Ints:
    """Of each that was granted the number of its sentence."""
    counted = attempts["got"] != NULL
    number = attempts.groupby(["kind", "guise", "way", counted]).ngroup().to_numpy(np.int64)
    return np.asarray(number[granted], np.int64)


def _what(kind: AttemptKind, got: int) -> str:
    if kind in MARKS and got == NULL:
        return "the status of a message moved, and no participant's receipt can have done that"
    return given(kind, got)


def _rows_of(account: Account) -> Ints:
    """For each attempt to send the row that it left in the database, in `Account.rows`; `NONE` without one."""
    attempts, rows = account.evidence.attempts, account.rows
    keys = rows["client_generated_id"].to_numpy(np.int64)
    by_key = np.full(len(account.evidence.messages) + 1, NONE, np.int64)  # the last is for the code -1
    by_key[keys[keys >= 0]] = np.flatnonzero(keys >= 0)
    row = by_key[attempts["client_generated_id"].to_numpy(np.int64)]
    answered = attempts["message_id"].to_numpy(np.int64)
    told = np.append(account.row_of_message, NONE)[answered]
    sends = (attempts["kind"] == AttemptKind.SEND).to_numpy()
    row = np.where(row >= 0, row, told)
    # An app that takes no key and tells no id: the text is of this attempt alone.
    by_text = {
        text: number for number, text in enumerate(rows["text_hash"].tolist())
    } if (sends & (row < 0)).any() else {}  # fmt: skip
    for number in np.flatnonzero(sends & (row < 0)).tolist():
        row[number] = by_text.get(int(attempts["text_hash"].iloc[number]), NONE)
    return np.where(sends, row, NONE)


def _perhaps_welcome(account: Account, clocks: Clocks) -> Bools:
    """Attempts under an own session on others' chats, of people who may have been added to the chat by then."""
    attempts, guise = account.evidence.attempts, account.evidence.attempts["guise"].to_numpy()
    key = pair(attempts["chat_id"].to_numpy(), attempts["user_id"].to_numpy())
    began, ended = (
        clocks.moments(attempts[column], attempts["clock"]) for column in ("left_ns", "answered_ns")
    )
    there = Spells.of(account, there=True).touched(key, began.earliest_ns, ended.latest_ns)
    strangers = ~np.isin(key, participation_keys(account))
    welcome: Bools = there & strangers & np.isin(guise, (Guise.OUTSIDER, Guise.ANOTHER_PERSON))
    return welcome


def _granted(account: Account, stored: Ints, welcome: Bools) -> Bools:
    attempts = account.evidence.attempts
    sends = (attempts["kind"] == AttemptKind.SEND).to_numpy()
    got = (attempts["got"].to_numpy(np.int64) > 0) & ~welcome
    accepted = (attempts["outcome"] == Outcome.OK).to_numpy() & (attempts["message_id"] >= 0).to_numpy()
    sender = np.append(account.rows["sender_id"].to_numpy(np.int64), NONE)[stored]
    another = (stored >= 0) & (sender != attempts["user_id"].to_numpy(np.int64))
    granted: Bools = np.where(
        sends, np.where(_into_their_own(account) | welcome, another, (stored >= 0) | accepted), got
    )
    return granted


def _into_their_own(account: Account) -> Bools:
    """Attempts to send in another's name into a chat that one is in."""
    attempts, inside = account.evidence.attempts, account.evidence.participants
    place, members = (
        pair(table["chat_id"].to_numpy(), table["user_id"].to_numpy()) for table in (attempts, inside)
    )
    forged: Bools = (attempts["guise"] == Guise.ANOTHER_PERSON).to_numpy() & np.isin(place, members)
    return forged & (attempts["kind"] == AttemptKind.SEND).to_numpy()


def _unclear(account: Account, stored: Ints) -> Bools:
    """Attempts of which nobody said whether they are refused: the server was in trouble, or what became of them unseen."""
    attempts = account.evidence.attempts
    outcome, status, way = (attempts[column].to_numpy() for column in ("outcome", "status_code", "way"))
    shown_out = np.isin(status, REDIRECTIONS) & (way == Way.APP)
    shown_out &= np.isin(attempts["guise"].to_numpy(), WITHOUT_A_SESSION)
    # A request that never left is a failure of its own kind: nobody refused it.
    unanswered = ((status == 0) & (way != Way.REALTIME)) | (status == TOO_MANY_REQUESTS)
    # Under whose name is it stored? Only a look at its row tells.
    taken = (outcome == Outcome.OK) & (attempts["message_id"].to_numpy() >= 0) & (stored == NONE)
    unclear: Bools = (outcome == Outcome.INFO) & ~shown_out | unanswered | taken & _into_their_own(account)
    return unclear


def _nothing_to_be_had(account: Account, clocks: Clocks, marking: Marking) -> Bools:
    """Attempts that were answered ok with nothing, where nothing was there: no message yet, none meanwhile, none to mark."""
    attempts, operations = account.evidence.attempts, account.operations
    timed = operations[operations["acknowledged_ns"] != NEVER]
    left, acknowledged = (
        clocks.moments(timed[column], timed["clock"]) for column in ("left_ns", "acknowledged_ns")
    )
    quiet = np.flatnonzero((attempts["outcome"] == Outcome.OK) & (attempts["kind"] != AttemptKind.SEND))
    marks = np.isin(attempts["kind"].to_numpy()[quiet], list(WANTED))
    empty = np.zeros(len(attempts), np.bool_)
    empty[quiet[marks]] = ~marking.had_something(quiet[marks])
    asked = attempts.iloc[quiet[~marks]]
    began, ended = (clocks.moments(asked[column], asked["clock"]) for column in ("left_ns", "answered_ns"))
    listens = (asked["kind"] == AttemptKind.SUBSCRIBE).to_numpy()
    in_time, chat = ended.later(-SOON_NS), asked["chat_id"].to_numpy(np.int64)
    something = ~listens & (account.baseline[chat] > 0)
    said_in = pd.Series(timed["chat_id"].to_numpy(np.int64))
    of_chat = said_in.groupby(said_in).indices
    for number, places in pd.Series(chat).groupby(chat).indices.items():
        who, here = np.asarray(places, np.int64), of_chat.get(number, np.empty(0, np.int64))
        since_ns, until_ns = (
            np.where(listens[who], one[who], other)
            for one, other in ((began.latest_ns, NEVER), (in_time.earliest_ns, began.earliest_ns[who] - 1))
        )
        something[who] |= _said(left.earliest_ns[here], acknowledged.latest_ns[here], since_ns, until_ns)
        for clock in np.unique(left.clock[here]).tolist():  # what one clock noted, that clock orders
            its, theirs = here[left.clock[here] == clock], who[began.clock[who] == clock]
            since_ns = np.where(listens[theirs], began.at_ns[theirs], NEVER)
            until_ns = np.where(listens[theirs], in_time.at_ns[theirs], began.at_ns[theirs] - 1)
            something[theirs] |= _said(left.at_ns[its], acknowledged.at_ns[its], since_ns, until_ns)
    empty[quiet[~marks]] = ~something
    return empty


def _said(left_ns: Ints, acknowledged_ns: Ints, since_ns: Ints, until_ns: Ints) -> Bools:
    """For each time whether a message left at its beginning or later, and was acknowledged by its end."""
    order = np.argsort(left_ns, kind="stable")
    soonest = np.append(np.minimum.accumulate(acknowledged_ns[order][::-1])[::-1], ENDLESS_NS)
    said: Bools = soonest[np.searchsorted(left_ns[order], since_ns, side="left")] <= until_ns
    return said
