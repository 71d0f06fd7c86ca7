"""Who was owed each stored message, by which way, and whether it came.

A delivery is a pair: a stored message of the run and a participant of its chat, the author included, since
Realtime sends a change to its author too.

**Owed by Realtime**: the participant was subscribed before the message left its sender, and still was when
its delivery had become certain. Realtime sends the changes of a table in the order of their commits, so it is
certain once the same subscription has brought a message that was sent after this one was stored; or once the
user, in the drain, knew of this message and waited for it; or `owed.CERTAIN_AFTER_NS` after it was stored. See
`analysis.checks.owed` for how that is told across machines. To somebody who lost a subscription and could not get another
until their drain was over, everything is owed that was sent since their last one began, was stored before they gave up, and
that they did not read in history: they were there, and the server would not serve them. What comes later is owed to nobody
who had gone by then.

**Owed by catch-up**: not owed by Realtime, but the participant later read, to catch up, the part of history in
which the message belongs. **Expected** are the pairs owed either way and those that came without being owed,
such as a message that was on its way while a subscription was being confirmed. A pair that nobody owed and
that did not come, such as a message to somebody whose process was killed, is no delivery at all. It is **undecided** where
only the recipient's clock, which was never compared with the others, knows whether it was owed. It is **unawaited** where it
was stored when the user, in the drain, asked what to wait for, and nothing that they learned by that named it: who went offline
before it came may have gone too early. It is **unread** where it was sent between the first and the last subscription of a device
(`analysis.checks.stays`), and no page that was read to catch up reaches it: Realtime did not owe it, and history was to bring it. To somebody who left the chat in mid-run nothing of this applies from shortly before
the last look on that saw them in it: see `analysis.checks.departures`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.checks.account import NULL, Account, Bools, Ints, pair
from analysis.checks.departures import Departures
from analysis.checks.moments import MomentsOfRows
from analysis.checks.owed import Owing
from analysis.checks.stays import Stay, stays
from analysis.checks.subscriptions import (
    ENDLESS,
    Subscriptions,
    participation_keys,
    positions,
    subscriptions,
)
from analysis.clocks import Moments
from analysis.evidence import Evidence
from analysis.identifiers import Codes
from analysis.record.codes import Outcome, PagePurpose


@dataclass(frozen=True, slots=True)
class Deliveries:
    """All pairs of a stored message and a participant of its chat.

    Attributes:
        row: position of the message in `Account.rows`, for each pair.
        participation: position in `participation_keys`, for each pair.
        arrived: an INSERT event brought it.
        owed: by Realtime.
        read: on a page of history that was read to catch up, or for the drain.
        owed_by_history: see the module's text; never where `owed`.
        undecided, unawaited, unread: see the module's text; only where it neither came nor was read; `unread` only where neither of the others.
        shut_out: owed to somebody who could not get a lost subscription back; part of `owed`.
        subscriptions: all subscriptions.
    """

    row: NDArray[np.int32]
    participation: NDArray[np.int32]
    arrived: Bools
    owed: Bools
    read: Bools
    owed_by_history: Bools
    undecided: Bools
    unawaited: Bools
    unread: Bools
    shut_out: Bools
    subscriptions: Subscriptions

    @property
    def expected(self) -> Bools:
        return self.arrived | self.owed | self.owed_by_history

    @property
    def delivered(self) -> Bools:
        """What was owed by Realtime, too, counts as delivered when only history brought it (`realtime.missed`)."""
        return self.arrived | (self.read & self.expected)


def deliveries(account: Account) -> Deliveries:
    """Work out all pairs of a run."""
    keys = participation_keys(account)
    starts = np.searchsorted(keys >> 32, np.arange(len(account.evidence.chats) + 1))
    into = account.first_chats()  # its people were owed it
    stored = np.flatnonzero(account.stored & (into >= 0))
    chat = into[stored]
    size = starts[chat + 1] - starts[chat]
    row = np.repeat(stored, size)
    first_pair = np.full(len(account.rows) + 1, -1, np.int64)
    first_pair[stored] = np.cumsum(size) - size
    within = np.arange(len(row)) - np.repeat(first_pair[stored], size)
    participation = np.repeat(starts[chat], size) + within

    def pairs_of(messages: Codes, users: Codes) -> Ints:
        """The pair of each message code and person; -1 if there is none, e.g. for an outsider."""
        rows = account.row_of_message[messages]
        first = np.where(rows >= 0, first_pair[rows], -1)
        known = first >= 0
        row_chat = np.zeros(len(rows), np.int64)
        row_chat[known] = into[rows[known]]
        place = positions(keys, pair(row_chat, users))
        return np.where(known & (place >= 0), first + place - starts[row_chat], -1)

    subscribed = subscriptions(account)
    arrived, read = _came(account.evidence, subscribed, len(row), pairs_of)
    moved = into != account.rows["chat_id"].to_numpy()
    owed, undecided, unawaited, by_history, shut_out = (np.zeros(len(row), np.bool_) for _ in range(5))
    moments = MomentsOfRows.of(account)
    owing = Owing(account, moments, subscribed)
    told = np.flatnonzero(~subscribed.table["process"].isin(unreliable(account)).to_numpy())
    of_table = subscribed.table["participation"].to_numpy()[told]
    table_bounds = np.searchsorted(of_table, np.arange(len(keys) + 1))
    order = np.argsort(participation, kind="stable")
    order = order[Departures.of(account).owed_before(participation[order], moments.stored_by_ns[row[order]])]
    bounds = np.searchsorted(participation[order], np.arange(len(keys) + 1))
    catch_ups = _catch_ups(account, keys, moments)
    gave_up = subscribed.gave_up.groupby("participation", sort=False)
    for number in range(len(keys)):
        pairs = order[bounds[number] : bounds[number + 1]]
        mine = told[table_bounds[number] : table_bounds[number + 1]]
        if len(pairs) and len(mine):
            owed[pairs], undecided[pairs], unawaited[pairs] = owing.owed(row[pairs], mine)
            if number in gave_up.groups:
                lacked = _shut_out(owing, moments, row[pairs], mine, gave_up.get_group(number))
                shut_out[pairs] = lacked & ~owed[pairs] & ~read[pairs]
                owed[pairs] |= shut_out[pairs]
        rest = pairs[
            ~owed[pairs] & ~moved[row[pairs]]
        ]  # what was moved has another seq than those pages were about
        if len(rest) and number in catch_ups:
            by_history[rest] = _in_history(account, moments, row[rest], catch_ups[number])
    by_history |= read & ~owed
    accounted = owed | arrived | by_history
    order = order[~(accounted | undecided | unawaited | moved[row])[order]]
    of = participation[order]
    unread = _flags(len(row), _unread(order, of, row, owing, stays(account, subscribed, told, of)))
    return Deliveries(
        row.astype(np.int32),
        participation.astype(np.int32),
        arrived,
        owed,
        read,
        by_history,
        undecided & ~accounted,
        unawaited & ~accounted,
        unread,
        shut_out,
        subscribed,
    )


def _came(
    evidence: Evidence, subscribed: Subscriptions, size: int, pairs_of: Callable[[Codes, Codes], Ints]
) -> tuple[Bools, Bools]:
    """For each of `size` pairs whether an INSERT event brought it, and whether it was read on a page to catch up."""
    came = pairs_of(
        evidence.events["message_id"].to_numpy()[subscribed.inserts],
        evidence.events["user_id"].to_numpy()[subscribed.inserts],
    )
    arrived = _flags(size, came)
    del came
    page = evidence.page_rows["page"].to_numpy()
    to_catch_up = evidence.pages["purpose"].to_numpy()[page] != PagePurpose.BROWSE
    on_pages = pairs_of(
        evidence.page_rows["message_id"].to_numpy()[to_catch_up],
        evidence.pages["user_id"].to_numpy()[page[to_catch_up]],
    )
    return arrived, _flags(size, on_pages)


def _unread(
    pairs: Ints, participation: Ints, row: Ints, owing: Owing, stayed: Mapping[int, list[Stay]]
) -> Ints:
    """Which of `pairs`, by participation and accounted for by nothing else, somebody who stayed should have read."""
    found = [np.empty(0, np.int64)]
    for number, of_person in stayed.items():
        low, high = np.searchsorted(participation, (number, number + 1))
        if low < high:
            here = pairs[low:high]
            found.append(here[owing.between(row[here], of_person)])
    return np.concatenate(found)


def _shut_out(owing: Owing, moments: MomentsOfRows, rows: Ints, mine: Ints, gave_up: pd.DataFrame) -> Bools:
    """Which of `rows` were sent since the last subscription that somebody had before they gave up, and stored before that.

    Args:
        mine: the participation's subscriptions.
        gave_up: when they gave up, once for each time that they were there.
    """
    lacked = np.zeros(len(rows), np.bool_)
    for process, clock, at_ns in zip(
        *(gave_up[name].tolist() for name in ("process", "clock", "at_ns")), strict=True
    ):
        last = owing.begun_before(mine, process, at_ns)
        if last >= 0:
            moment = moments.clocks.moments(np.array([at_ns]), np.array([clock]))
            lacked |= owing.since(rows, last) & moments.stored_before(moment, rows)
    return lacked


def unreliable(account: Account) -> list[int]:
    """Numbers of the load processes that could not write all down: what their users missed cannot be told."""
    return [
        number
        for number, part in enumerate(account.evidence.parts)
        if part.lost_rows_of("events", "sockets", "pages")
    ]


def _flags(size: int, where: Ints) -> Bools:
    flags = np.zeros(size, np.bool_)
    flags[where[where >= 0]] = True
    return flags


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that was read to catch up: the messages from `lowest` to below `before`, stored when it was asked for."""

    left: Moments
    lowest: int
    before: int


def _catch_ups(account: Account, keys: Ints, moments: MomentsOfRows) -> dict[int, list[_Page]]:
    """The pages by which each participation caught up; one that is empty reaches back to the beginning, and any other one to
    the lowest seq on it: servers have limits of their own (see `analysis.checks.history`)."""
    pages, page_rows = account.evidence.pages, account.evidence.page_rows
    lowest = np.full(len(pages), ENDLESS, np.int64)
    numbered = page_rows["seq"].to_numpy() != NULL
    np.minimum.at(lowest, page_rows["page"].to_numpy()[numbered], page_rows["seq"].to_numpy()[numbered])
    found = np.bincount(page_rows["page"].to_numpy(), minlength=len(pages))
    lowest = np.where(found == 0, 0, lowest)
    before = np.where(pages["before_seq"] == NULL, ENDLESS, pages["before_seq"])
    left = moments.clocks.moments(pages["left_ns"], pages["clock"])
    place = positions(keys, pair(pages["chat_id"].to_numpy(), pages["user_id"].to_numpy()))
    wanted = (pages["purpose"] != PagePurpose.BROWSE) & (pages["outcome"] == Outcome.OK) & (place >= 0)
    by_participation: dict[int, list[_Page]] = {}
    for number in np.flatnonzero(wanted).tolist():
        page = _Page(left[np.array([number])], int(lowest[number]), int(before[number]))
        by_participation.setdefault(int(place[number]), []).append(page)
    return by_participation


def _in_history(account: Account, moments: MomentsOfRows, rows: Ints, pages: list[_Page]) -> Bools:
    """Which of `rows` belong on one of `pages`."""
    seq = account.rows["seq"].to_numpy(np.int64)[rows]
    belongs = np.zeros(len(rows), np.bool_)
    for page in pages:
        inside = (seq != NULL) & (seq >= page.lowest) & (seq < page.before)
        belongs |= inside & moments.stored_before(page.left, rows)
    return belongs
