"""Until when the monitor surely still saw a message before it was delivered, or read."""

import numpy as np

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.clocks import ENDLESS_NS, asked_ns
from analysis.record.codes import ObservedChange, PollKind, Status
from analysis.record.tables import UNSETTLED_A_POLL


def last_looks_below(account: Account, row: Ints, wanted: Status) -> tuple[Ints, Bools]:
    """For each of `row` when a look was asked for that surely still saw it before it had `wanted`, and whether it never had it.

    The looks record changes only. A row that was not delivered yet at some look was as before at every look
    at it until then; but a poll looks at a limited number of rows, in turn, so that with many of them the last
    look at this one may lie some polls back. The last sweep looks at all, and what follows it at none: only where seqs
    are missing. -1: no look saw it before.

    Args:
        wanted: delivered or read. Whatever else a row became, it does not lack that: a status outside the three is
            `status.invalid`'s.
    """
    polls, observations = account.evidence.polls, account.evidence.observations
    sweeps = polls.loc[polls["kind"] == PollKind.SWEEP, "poll"]
    at_rows = polls["kind"].isin([PollKind.POLL, PollKind.SWEEP])
    if len(sweeps):  # earlier versions wrote of what followed it as of polls
        at_rows &= polls["poll"] <= sweeps.max()
    polls = polls[at_rows].sort_values("poll", kind="stable")
    if not len(polls):
        return np.full(len(row), NULL, np.int64), np.ones(len(row), np.bool_)
    number, taken = polls["poll"].to_numpy(np.int64), asked_ns(polls)
    status, message = observations["status"].to_numpy(), observations["message_id"].to_numpy()
    poll_of = observations["poll"].to_numpy(np.int64)

    moved = np.full(len(account.rows), ENDLESS_NS, np.int64)
    there = observations["change"].to_numpy() != ObservedChange.GONE
    below = (status >= Status.SENT) & (status < wanted)
    np.minimum.at(moved, account.row_of_message[message[there & ~below]], poll_of[there & ~below])

    settled = np.full(len(account.rows), ENDLESS_NS, np.int64)
    stays_read = account.rows["status"].to_numpy() == Status.READ
    read = there & (status == Status.READ)
    np.minimum.at(settled, account.row_of_message[message[read]], poll_of[read])
    first = account.rows["first_poll"].to_numpy(np.int64)
    unsettled = np.searchsorted(np.sort(first), number, side="right") - np.searchsorted(
        np.sort(settled[stays_read]), number, side="right"
    )
    turn = np.maximum(1, -(-unsettled // UNSETTLED_A_POLL))  # polls until every such row had its turn
    turn[polls["kind"].to_numpy() == PollKind.SWEEP] = 1

    before = np.searchsorted(number, moved[row], side="left") - 1
    at_first = np.searchsorted(
        number, first[row], side="left"
    )  # the look that found it saw it, whoever's turn it was
    saw = before >= at_first
    surely = np.where(saw, np.maximum(before - turn[before.clip(min=0)] + 1, at_first), 0)
    return np.where(saw, taken[surely], NULL), moved[row] == ENDLESS_NS
