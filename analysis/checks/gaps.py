"""`seq.gaps`: in every chat the messages are numbered densely.

**When a missing number is a gap.** A number may be missing because the transaction that holds it has not ended:
later numbers can be visible already. Suppose that look *k* was the first to see a higher number of the chat. Whoever
held the missing one then, and had a transaction id, had a smaller id than the next to be given out at *k*. Once
a later look finds that every transaction older than that has ended (its ``xmin`` has come so far), nobody is left who
could fill the hole. Until then it is open, and fails nothing. A transaction that takes its number without having
written anything has no id yet and cannot be waited for; an insert has one as soon as its row is made.

Source: PostgreSQL's documentation of ``pg_snapshot``, https://www.postgresql.org/docs/current/functions-info.html

Records of earlier versions do not know the next id. There, a chat's missing numbers are open as long as they are no
more than its sends whose fate is open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Ints
from analysis.checks.findings import NO_LAST_LOOK, counted
from analysis.checks.fleeting import Fleeting
from analysis.checks.numbering import NO_LOOK, numbers_given
from analysis.criteria import Criterion, Finding
from analysis.faults import UNKNOWN, Faults, from_faults
from analysis.identifiers import NONE
from analysis.record.codes import Outcome, PollKind


class _Seen(NamedTuple):
    """What the monitor saw of a chat's numbers above the baseline."""

    lowest: int
    highest: int
    distinct: int


class _Hole(NamedTuple):
    """Missing numbers, one after another; `poll` is the first look that saw a higher one."""

    chat: int
    low: int
    high: int
    poll: int

    @property
    def size(self) -> int:
        return self.high - self.low + 1


def gaps(account: Account) -> Criterion:
    """`seq.gaps`: a number between a chat's baseline and its newest message that no message ever had.

    A message that was there and was deleted leaves no gap: its number was given (`messages.lost` has it). Who is
    believed to tell of one that no look saw is said in `analysis.checks.numbering`. A row in a
    chat that it was not sent to has its number there, and proves nothing about the ones below: it may have been moved, and not
    have got it from this chat's counter. Without a last look all holes are open.
    A number that a message may have had which came and went between two looks is blamed on nobody: see
    `analysis.checks.fleeting`.
    """
    baseline = dict(
        zip(
            account.evidence.baseline["chat_id"].tolist(),
            account.evidence.baseline["seq"].tolist(),
            strict=True,
        )
    )
    newest = _newest(account)
    first = {chat: baseline.get(chat, seen.lowest - 1) + 1 for chat, seen in newest.items()}
    # Only where the rows alone leave holes does anybody else's word have to be heard.
    doubtful = {chat: seen for chat, seen in newest.items() if seen.distinct < seen.highest - first[chat] + 1}
    holes = _holes(account, first, doubtful) if doubtful else []
    looks = _Looks.of(account)
    if account.last_look_ns is None:
        faults = []
    elif looks.know_transactions:
        faults = [hole for hole in holes if looks.have_decided(hole.poll)]
    else:
        faults = _more_than_open_sends(account, holes)
    decided = set(faults)
    undecided = [hole for hole in holes if hole not in decided]
    still_open = sum(hole.size for hole in undecided)
    missing = sum(hole.size for hole in faults)
    faults = _for_certain(Fleeting(account), faults) if faults else []
    perhaps_given = missing - sum(hole.size for hole in faults)

    def tell(place: int) -> Iterator[Finding]:
        hole = faults[place]
        goes_on = newest[hole.chat].highest
        for seq in range(hole.low, hole.high + 1):
            yield Finding(
                why=f"No message of this chat ever had seq {seq}, though it goes on to {goes_on}.",
                chat_id=account.evidence.chats.text(hole.chat),
                seq=seq,
                at_ns=looks.at_ns(hole.poll),
            )

    times = (looks.at_ns(hole.poll) for hole in faults)

    reason = NO_LAST_LOOK if account.last_look_ns is None else None
    if not reason and still_open:
        reason = f"{counted(still_open, 'missing number')} may still be filled: {looks.why_open(undecided)}."
    if not reason and perhaps_given:
        reason = (
            f"{counted(perhaps_given, 'missing number')} may have been given to messages that came and went between two looks: an event or a "
            "page showed a message of somebody else, or of a send without a clear answer, with them, or told that one was deleted."
        )
    if not reason and set(newest) - set(baseline):
        without = len(set(newest) - set(baseline))
        reason = f"Gaps at the beginning of {counted(without, 'chat')} without a baseline do not show."
    facts: dict[str, float | int] = {"open": still_open}
    if perhaps_given:
        facts["perhaps_given"] = perhaps_given
    return from_faults(
        "seq.gaps",
        "No seq is left out",
        "numbers",
        sum(seen.highest - first[chat] + 1 for chat, seen in newest.items()),
        Faults(
            at_ns=np.array([UNKNOWN if at_ns is None else at_ns for at_ns in times], np.int64),
            chat=np.array([hole.chat for hole in faults], np.int64),
            kind=np.zeros(len(faults), np.int64),
            tell=tell,
            weight=np.array([hole.size for hole in faults], np.int64),
        ),
        inconclusive=reason,
        facts=facts,
    )


@dataclass(frozen=True, slots=True)
class _Looks:
    """Looks that came to their end, in their order, and what they knew of transactions."""

    poll: Ints
    times_ns: Ints
    xmin: Ints
    next_xid: Ints

    @classmethod
    def of(cls, account: Account) -> "_Looks":
        polls = account.evidence.polls
        whole = polls[polls["kind"].to_numpy() != PollKind.FAILED].sort_values("poll", kind="stable")
        columns = ("poll", "at_ns", "xmin", "next_xid")
        return cls(*(whole[column].to_numpy(np.int64) for column in columns))

    @property
    def know_transactions(self) -> bool:
        return bool((self.next_xid != NULL).all())

    def why_open(self, holes: list[_Hole]) -> str:
        """What keeps these holes from being gaps, for a sentence."""
        if not self.know_transactions:
            return "sends of the same chats had no answer, and their transactions may not have ended"
        if all(np.searchsorted(self.poll, hole.poll) + 1 >= len(self.poll) for hole in holes):
            return "the monitor did not look again after it had seen what is above them"
        return (
            f"at the last look transaction {self.xmin[-1]} was still running, which is older than what is above "
            "them (pg_stat_activity.backend_xid or pg_prepared_xacts has it)"
        )

    def have_decided(self, poll: int) -> bool:
        """Whether every transaction that ran at look `poll`, and had an id, had ended at a later one."""
        place = int(np.searchsorted(self.poll, poll))  # a look that failed knows nothing: the next one does
        if place + 1 >= len(self.poll):
            return False
        return bool(self.xmin[place + 1 :].max() >= self.next_xid[place])

    def at_ns(self, poll: int) -> int | None:
        """When look `poll` was, or the next one that came to its end."""
        place = int(np.searchsorted(self.poll, poll))
        return int(self.times_ns[place]) if place < len(self.poll) else None


def _for_certain(fleeting: Fleeting, holes: list[_Hole]) -> list[_Hole]:
    """What is left of these holes without the numbers that a message may have had which came and went between two looks.

    Of a message that was deleted, and of which nothing else is known, nobody knows which number it had. Where there are
    more holes than such messages one hole at least is a gap, and all are named.
    """
    shown: dict[int, list[int]] = {}
    for chat, seq in fleeting.numbers().sort_values("seq").itertuples(index=False):
        shown.setdefault(chat, []).append(seq)
    left = []
    for hole in holes:
        low = hole.low
        inside = [seq for seq in shown.get(hole.chat, ()) if hole.low <= seq <= hole.high]
        for seq in (*inside, hole.high + 1):
            if low < seq:
                left.append(hole._replace(low=low, high=seq - 1))
            low = seq + 1
    return left if sum(hole.size for hole in left) > fleeting.deletions() else []


def _more_than_open_sends(account: Account, holes: list[_Hole]) -> list[_Hole]:
    """The holes of chats that have more missing numbers than sends of which nobody knows what became of them."""
    unresolved = (account.operations["outcome"] == Outcome.INFO) & (account.operations["rows"] == 0)
    open_sends = account.operations.loc[unresolved, "chat_id"].value_counts()
    missing: dict[int, int] = {}
    for hole in holes:
        missing[hole.chat] = missing.get(hole.chat, 0) + hole.size
    return [hole for hole in holes if missing[hole.chat] > int(open_sends.get(hole.chat, 0))]


def _newest(account: Account) -> dict[int, _Seen]:
    """For each chat with messages of the run the numbers that its rows have."""
    rows = account.rows
    above = rows["seq"].to_numpy() > account.baseline[rows["chat_id"].to_numpy()]
    above &= rows["chat_id"].to_numpy() == _origin(account)
    numbered = rows.loc[above & (rows["seq"].to_numpy() != NULL), ["chat_id", "seq", "operation"]]
    of_run = numbered.loc[numbered["operation"] >= 0, "chat_id"].unique()
    by_chat = numbered[numbered["chat_id"].isin(of_run)].groupby("chat_id")["seq"]
    seen = by_chat.agg(["min", "max", "nunique"]).reset_index()
    return {
        chat: _Seen(lowest, highest, distinct)
        for chat, lowest, highest, distinct in zip(
            *(seen[column].tolist() for column in ("chat_id", "min", "max", "nunique")), strict=True
        )
    }


def _origin(account: Account) -> Ints:
    """The chat for which each row was numbered: the one that it was sent to, or of other people's where it was first seen."""
    operation = account.rows["operation"].to_numpy()
    sent = np.append(account.operations["chat_id"].to_numpy(np.int64), NONE)[operation]
    return np.where(operation != NONE, sent, account.first_chats())


def _holes(account: Account, first: dict[int, int], newest: dict[int, _Seen]) -> list[_Hole]:
    """The missing numbers of these chats from `first` on to their newest, by the word of anybody who saw any."""
    given = numbers_given(account)
    given = given[given["chat_id"].isin(list(newest))]
    chat, seq, poll, message = (
        given[column].to_numpy(np.int64) for column in ("chat_id", "seq", "poll", "message_id")
    )
    origin = np.append(_origin(account), NONE)[account.row_of_message[message]]
    # Of what was moved here no lower number was to be expected.
    poll = np.where(chat == origin, poll, NO_LOOK)
    begins = np.array([first[one] - 1 for one in newest], np.int64)  # as if the one before had been given
    chat = np.concatenate([chat, np.array(list(newest), np.int64)])
    seq = np.concatenate([seq, begins])
    poll = np.concatenate([poll, np.full(len(begins), NO_LOOK)])
    order = np.lexsort((seq, chat))
    chat, seq, poll = chat[order], seq[order], poll[order]
    first_above = pd.Series(poll[::-1]).groupby(chat[::-1]).cummin().to_numpy()[::-1]
    holes = [
        _Hole(of, low, high, saw)
        for at in [np.flatnonzero((np.diff(chat) == 0) & (np.diff(seq) > 1))]
        for of, low, high, saw in zip(
            chat[at].tolist(),
            (seq[at] + 1).tolist(),
            (seq[at + 1] - 1).tolist(),
            first_above[at + 1].tolist(),
            strict=True,
        )
    ]
    return [hole for hole in holes if first[hole.chat] <= hole.low and hole.high < newest[hole.chat].highest]
