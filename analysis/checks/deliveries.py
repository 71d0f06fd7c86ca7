"""Who was owed each stored message, by which way, and whether it came.

A delivery is a pair: a stored message of the run and a participant of its chat, the author included, since
Realtime sends a change to its author too.

**Owed by Realtime**: the participant was subscribed before the message left its sender, and still was when
its delivery had become certain. Realtime sends the changes of a table in the order of their commits, so it is
certain once the same subscription has brought a message that was sent after this one was stored; or once the
user, in the drain, knew of this message and waited for it; or `CERTAIN_AFTER_NS` after it was stored. Where
sender and recipient have no clock in common, messages that came before and after it, by seq, take the place
of times. To somebody who lost a subscription and could not get another until the drain was over, everything is owed
that was sent since their last one began and that they did not read in history: they were there, and the server
would not serve them.

**Owed by catch-up**: not owed by Realtime, but the participant later read, to catch up, the part of history in
which the message belongs. **Expected** are the pairs owed either way and those that came without being owed,
such as a message that was on its way while a subscription was being confirmed. A pair that nobody owed and
that did not come, such as a message to somebody whose process was killed, is no delivery at all.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.checks.account import NEVER, NULL, Account, Bools, Ints, pair
from analysis.checks.subscriptions import OPEN, Subscriptions, participation_keys, positions, subscriptions
from analysis.identifiers import Codes
from analysis.record.codes import Outcome, PagePurpose

CERTAIN_AFTER_NS = 10_000_000_000  # ten times the delivery target: far beyond any healthy delivery

_ENDLESS = np.iinfo(np.int64).max


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
        subscriptions: all subscriptions.
    """

    row: NDArray[np.int32]
    participation: NDArray[np.int32]
    arrived: Bools
    owed: Bools
    read: Bools
    owed_by_history: Bools
    subscriptions: Subscriptions

    @property
    def expected(self) -> Bools:
        return self.arrived | self.owed | self.owed_by_history

    @property
    def delivered(self) -> Bools:
        """What was owed by Realtime, too, counts as delivered when only history brought it (`realtime.missed`)."""
        return self.arrived | (self.read & self.expected)


@dataclass(frozen=True, slots=True)
class _Times:
    """For each of `Account.rows`: bounds of the moment at which it was stored, and the clocks they are from."""

    left_ns: Ints
    left_clock: Ints
    stored_by_ns: Ints  # by the sender's clock; `_ENDLESS` when not known by it
    seen_by_ns: Ints  # by the monitor's clock
    monitor_clock: int

    def known_by(self, clock: int) -> Ints:
        """The earliest moment on `clock` at which each row is known to have been stored."""
        by_sender = np.where(self.left_clock == clock, self.stored_by_ns, _ENDLESS)
        return np.minimum(by_sender, self.seen_by_ns) if clock == self.monitor_clock else by_sender


def deliveries(account: Account) -> Deliveries:
    """Work out all pairs of a run."""
    keys = participation_keys(account)
    starts = np.searchsorted(keys >> 32, np.arange(len(account.evidence.chats) + 1))
    stored = np.flatnonzero(account.stored & (account.rows["chat_id"].to_numpy() >= 0))
    chat = account.rows["chat_id"].to_numpy(np.int64)[stored]
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
        row_chat[known] = account.rows["chat_id"].to_numpy(np.int64)[rows[known]]
        place = positions(keys, pair(row_chat, users))
        return np.where(known & (place >= 0), first + place - starts[row_chat], -1)

    evidence = account.evidence
    subscribed = subscriptions(account)
    came = pairs_of(
        evidence.events["message_id"].to_numpy()[subscribed.inserts],
        evidence.events["user_id"].to_numpy()[subscribed.inserts],
    )
    arrived = _flags(len(row), came)
    del came
    page = evidence.page_rows["page"].to_numpy()
    to_catch_up = evidence.pages["purpose"].to_numpy()[page] != PagePurpose.BROWSE
    on_pages = pairs_of(
        evidence.page_rows["message_id"].to_numpy()[to_catch_up],
        evidence.pages["user_id"].to_numpy()[page[to_catch_up]],
    )
    read = _flags(len(row), on_pages)
    owed = np.zeros(len(row), np.bool_)
    by_history = np.zeros(len(row), np.bool_)
    times = _times(account)
    came_by = _what_came(account, subscribed, times)
    came_by = came_by[~came_by["process"].isin(unreliable(account))]
    order = np.argsort(participation, kind="stable")
    bounds = np.searchsorted(participation[order], np.arange(len(keys) + 1))
    catch_ups = _catch_ups(account, keys)
    gave_up = set(subscribed.gave_up.tolist())
    table_bounds = np.searchsorted(came_by["participation"].to_numpy(), np.arange(len(keys) + 1))
    for number in range(len(keys)):
        pairs = order[bounds[number] : bounds[number + 1]]
        mine = came_by.iloc[table_bounds[number] : table_bounds[number + 1]]
        if len(pairs) and len(mine):
            owed[pairs] = _owed(account, times, row[pairs], mine)
            if number in gave_up:
                owed[pairs] |= _owed_to_the_end(times, row[pairs], mine) & ~read[pairs]
        rest = pairs[~owed[pairs]]
        if len(rest) and number in catch_ups:
            by_history[rest] = _in_history(account, times, row[rest], catch_ups[number])
    return Deliveries(
        row.astype(np.int32),
        participation.astype(np.int32),
        arrived,
        owed,
        read,
        by_history | (read & ~owed),
        subscribed,
    )


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


def _times(account: Account) -> _Times:
    rows, operations = account.rows, account.operations
    operation = rows["operation"].to_numpy()
    mine = operation >= 0

    def of_operation(column: str, absent: int) -> Ints:
        values = np.full(len(rows), absent, np.int64)
        values[mine] = operations[column].to_numpy(np.int64)[operation[mine]]
        return values

    acknowledged = rows["acknowledged_ns"].to_numpy(np.int64)
    return _Times(
        left_ns=of_operation("left_ns", NEVER),
        left_clock=of_operation("clock", -1),
        stored_by_ns=np.where(acknowledged == NEVER, _ENDLESS, acknowledged),
        seen_by_ns=_seen_by(account),
        monitor_clock=account.monitor_clock,
    )


def _seen_by(account: Account) -> Ints:
    """When the look that first saw each row was over: its snapshot was not taken later."""
    polls = account.evidence.polls
    over_ns = polls["at_ns"].to_numpy() + (polls["duration_ms"].to_numpy() * 1e6).astype(np.int64)
    number = polls["poll"].to_numpy(np.int64)
    order = np.argsort(number, kind="stable")
    place = positions(number[order], account.rows["first_poll"].to_numpy(np.int64))
    return np.where(place >= 0, np.append(over_ns[order], _ENDLESS)[place], _ENDLESS)


def _what_came(account: Account, subscribed: Subscriptions, times: _Times) -> pd.DataFrame:
    """The subscriptions with what each of them brought: ``last_left_ns``, ``lowest_seq``, ``highest_seq``, ``alive_ns``."""
    events, table = account.evidence.events, subscribed.table
    row = account.row_of_message[events["message_id"].to_numpy()[subscribed.inserts]]
    known = (subscribed.of_insert >= 0) & (row >= 0)
    placed, row = subscribed.inserts[known], row[known]
    subscription = subscribed.of_insert[known]
    seq = account.rows["seq"].to_numpy(np.int64)[row]
    same_clock = times.left_clock[row] == events["clock"].to_numpy()[placed]
    last_left = np.full(len(table), NEVER, np.int64)
    np.maximum.at(last_left, subscription[same_clock], times.left_ns[row][same_clock])
    lowest = np.full(len(table), _ENDLESS, np.int64)
    np.minimum.at(lowest, subscription[seq != NULL], seq[seq != NULL])
    highest = np.full(len(table), NULL, np.int64)
    np.maximum.at(highest, subscription, seq)
    alive = table["began_ns"].to_numpy().copy()
    np.maximum.at(alive, subscription, events["received_ns"].to_numpy()[placed])
    ended = table["ended_ns"].to_numpy()
    return table.assign(
        last_left_ns=last_left,
        lowest_seq=lowest,
        highest_seq=highest,
        alive_ns=np.where(ended == OPEN, alive, ended),
    )


def _owed(account: Account, times: _Times, rows: Ints, mine: pd.DataFrame) -> Bools:
    """Which of `rows` Realtime owed to one participant with these subscriptions, oldest first."""
    seq = account.rows["seq"].to_numpy(np.int64)[rows]
    owed = np.zeros(len(rows), np.bool_)
    for clock in np.unique(mine["clock"]).tolist():
        local = mine[mine["clock"] == clock]
        began, alive = local["began_ns"].to_numpy(), local["alive_ns"].to_numpy()
        stored_by = times.known_by(clock)[rows]
        comparable = (times.left_clock[rows] == clock) & (stored_by != _ENDLESS)
        last = np.searchsorted(began, times.left_ns[rows], side="right") - 1
        # One subscription ends before the next begins, as a rule; where several hold at once, any of them owes it.
        at_once = int((np.searchsorted(began, alive, side="right") - np.arange(len(began))).max())
        for back in range(max(1, at_once)):
            candidate = (last - back).clip(min=0)
            in_time = comparable & (last >= back) & (stored_by <= alive[candidate])
            later_came = local["last_left_ns"].to_numpy()[candidate] > stored_by
            awaited = (seq != NULL) & (seq <= local["newest_seq"].to_numpy()[candidate])
            long_ago = alive[candidate] - np.minimum(stored_by, alive[candidate]) >= CERTAIN_AFTER_NS
            owed |= in_time & (later_came | awaited | long_ago)
        # Nothing but the order of what came is left to compare with another machine's messages.
        elsewhere = (times.left_clock[rows] != clock) & (seq != NULL)
        for low, high in zip(local["lowest_seq"].tolist(), local["highest_seq"].tolist(), strict=True):
            owed |= elsewhere & (seq > low) & (seq < high)
    return owed


def _owed_to_the_end(times: _Times, rows: Ints, mine: pd.DataFrame) -> Bools:
    """Which of `rows` left after the last of these subscriptions had begun."""
    last = mine.iloc[-1]
    same_clock = times.left_clock[rows] == last["clock"]
    later: Bools = same_clock & (times.left_ns[rows] > last["began_ns"])
    return later


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that was read to catch up: the messages from `lowest` to below `before`, stored by `left_ns`."""

    clock: int
    left_ns: int
    lowest: int
    before: int


def _catch_ups(account: Account, keys: Ints) -> dict[int, list[_Page]]:
    """The pages by which each participation caught up; one that is not full reaches back to the beginning."""
    pages, page_rows = account.evidence.pages, account.evidence.page_rows
    lowest = np.full(len(pages), _ENDLESS, np.int64)
    numbered = page_rows["seq"].to_numpy() != NULL
    np.minimum.at(lowest, page_rows["page"].to_numpy()[numbered], page_rows["seq"].to_numpy()[numbered])
    found = np.bincount(page_rows["page"].to_numpy(), minlength=len(pages))
    lowest = np.where(found < pages["page_limit"].to_numpy(), 0, lowest)
    before = np.where(pages["before_seq"] == NULL, _ENDLESS, pages["before_seq"])
    place = positions(keys, pair(pages["chat_id"].to_numpy(), pages["user_id"].to_numpy()))
    wanted = (pages["purpose"] != PagePurpose.BROWSE) & (pages["outcome"] == Outcome.OK) & (place >= 0)
    by_participation: dict[int, list[_Page]] = {}
    for number in np.flatnonzero(wanted).tolist():
        page = _Page(
            clock=int(pages["clock"].iloc[number]),
            left_ns=int(pages["left_ns"].iloc[number]),
            lowest=int(lowest[number]),
            before=int(before[number]),
        )
        by_participation.setdefault(int(place[number]), []).append(page)
    return by_participation


def _in_history(account: Account, times: _Times, rows: Ints, pages: list[_Page]) -> Bools:
    """Which of `rows` belong on one of `pages`."""
    seq = account.rows["seq"].to_numpy(np.int64)[rows]
    belongs = np.zeros(len(rows), np.bool_)
    for page in pages:
        inside = (seq != NULL) & (seq >= page.lowest) & (seq < page.before)
        belongs |= inside & (times.known_by(page.clock)[rows] <= page.left_ns)
    return belongs
