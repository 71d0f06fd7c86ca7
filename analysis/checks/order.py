"""`seq.order`: in every chat the messages are numbered in the order in which they happened."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.checks.account import NEVER, NULL, Account, Bools
from analysis.checks.findings import Namer, seconds
from analysis.clocks import Clocks
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults
from analysis.identifiers import NONE


def order(account: Account) -> Criterion:
    """`seq.order`: in one chat, a message acknowledged before another was sent has the smaller seq.

    It goes by the seq that each was given first, so that one which is changed later puts nobody else out of order.
    Times of one clock are compared as they are. Times of two machines are compared by what is certain: the latest
    moment at which the one may have been acknowledged, and the earliest at which the other may have left (see
    `analysis.clocks`); where no offset was measured they are not compared.
    In O(n log n): for each message the highest seq that had been acknowledged in its chat when it left; with one
    sort by time, and a running maximum.
    """
    timed = _numbered_operations(account)
    comparisons = [_Comparison(timed, "left_ns", "acknowledged_ns", ["chat_id", "clock"])]
    clocks = Clocks.of(account.evidence)
    known = clocks.known(timed["clock"])
    if len(np.unique(timed["clock"].to_numpy()[known])) > 1:
        placed = _placed(timed[known], clocks)
        comparisons.append(_Comparison(placed, "earliest_left_ns", "latest_acknowledged_ns", ["chat_id"]))
    highest = np.full((len(comparisons), len(account.operations)), NULL, np.int64)
    for of_one, comparison in zip(highest, comparisons, strict=True):
        of_one[comparison.operation] = comparison.highest
    faults = timed[highest.max(axis=0)[timed["operation"].to_numpy()] > timed["seq"].to_numpy()]
    faults = faults.sort_values("left_ns", kind="stable")
    operation = faults["operation"].to_numpy(np.int64)
    by_bounds = highest[0][operation] <= faults["seq"].to_numpy()  # its own clock alone does not tell
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        number, seq, message = (
            int(faults[column].iloc[place]) for column in ("operation", "seq", "message_id")
        )
        earlier, after_ns, by = next(
            found for one in comparisons if (found := one.explain(number, seq)) is not None
        )
        yield namer.operation(
            number,
            f"It was sent {by}{seconds(after_ns)} after message "
            f"{namer.message(earlier['message_id'])} (seq {earlier['seq']}) had been acknowledged, "
            f"yet its seq is the smaller one: {seq}.",
            seq=seq,
            message_id=account.evidence.messages.text(message),
        )

    unlike = int((~known).sum()) if len(np.unique(timed["clock"])) > 1 else 0
    return from_faults(
        "seq.order",
        "A later message has a higher seq",
        "messages",
        len(timed),
        namer.of_operations(operation, tell, by_bounds.astype(np.int64)),
        facts={"own_clock_only": unlike} if unlike else {},
    )


class _Comparison:
    """Messages of one `group` compared by these times.

    Attributes:
        operation, highest: of each message the highest seq that had been acknowledged before it left; `NULL`: none.
    """

    def __init__(self, timed: pd.DataFrame, left: str, acknowledged: str, group: list[str]) -> None:
        self._timed, self._left, self._acknowledged, self._group = timed, left, acknowledged, group
        told = timed.loc[timed["acknowledged_ns"] != NEVER, [*group, "seq", acknowledged]]
        told = told.rename(columns={acknowledged: "until_ns"}).sort_values("until_ns", kind="stable")
        told["highest"] = told.groupby(group)["seq"].cummax()
        met = pd.merge_asof(
            timed[["operation", *group, left]].sort_values(left, kind="stable"),
            told.drop(columns="seq"),
            left_on=left,
            right_on="until_ns",
            by=group,
            allow_exact_matches=False,
        )
        self.operation = met["operation"].to_numpy()
        self.highest = met["highest"].fillna(NULL).to_numpy(np.int64)

    def explain(self, operation: int, seq: int) -> "tuple[pd.Series[Any], int, str] | None":
        """The message with the highest seq that was acknowledged before this one left, by how long, and "at least "
        where that is all that is known; None when this comparison finds nothing wrong."""
        here = np.flatnonzero(self._timed["operation"].to_numpy() == operation)
        if not len(here):
            return None
        later = self._timed.iloc[int(here[0])]
        told = self._timed[(self._timed["acknowledged_ns"] != NEVER).to_numpy()]
        before: Bools = (told[self._acknowledged] < later[self._left]).to_numpy()
        for column in self._group:
            before = before & (told[column] == later[column]).to_numpy()
        candidates = told[before & (told["seq"] > seq).to_numpy()]
        if not len(candidates):
            return None
        earlier = candidates.iloc[int(candidates["seq"].to_numpy().argmax())]
        by = "" if "clock" in self._group else "at least "
        return earlier, int(later[self._left] - earlier[self._acknowledged]), by


def _placed(timed: pd.DataFrame, clocks: Clocks) -> pd.DataFrame:
    """The same with ``earliest_left_ns`` and ``latest_acknowledged_ns`` on the leader's clock."""
    clock = timed["clock"].to_numpy(np.int64)
    earliest_left, _ = clocks.bounds(timed["left_ns"].to_numpy(np.int64), clock)
    _, latest_acknowledged = clocks.bounds(timed["acknowledged_ns"].to_numpy(np.int64), clock)
    return timed.assign(earliest_left_ns=earliest_left, latest_acknowledged_ns=latest_acknowledged)


def _numbered_operations(account: Account) -> pd.DataFrame:
    """Messages with the seq that they were given first, as answered or else as first seen, and when they happened."""
    operations, rows = account.operations, account.rows
    mine = np.flatnonzero(rows["operation"].to_numpy() >= 0)
    row = np.full(len(operations), NONE, np.int64)
    told = rows["acknowledged_ns"].to_numpy()[mine] != NEVER
    named = np.isin(np.arange(len(operations)), rows["operation"].to_numpy()[mine[told]])
    mine = np.concatenate([mine[~told], mine[told]])  # of several copies the one that the answer meant
    row[rows["operation"].to_numpy()[mine]] = mine
    stored_id = np.append(rows["message_id"].to_numpy(), NONE)[row]
    look = np.append(rows["first_look"].to_numpy(np.int64), NONE)[row]
    observations = account.evidence.observations
    seen_seq = np.append(observations["seq"].to_numpy(np.int64), NULL)[look]
    seen_chat = np.append(observations["chat_id"].to_numpy(np.int64), NONE)[look]
    answered_seq, chat = operations["seq"].to_numpy(np.int64), operations["chat_id"].to_numpy()
    # What was stored elsewhere has a number of another chat; and where answer and look differ, nothing tells which number it
    # was given: `messages.corrupted` names it, and nobody else is to be blamed for it.
    elsewhere: Bools = (look != NONE) & (seen_chat != chat)
    # All copies were stored after it had left; but which of them was there when it was acknowledged, nobody says.
    unnamed: Bools = (answered_seq == NULL) & (operations["rows_seen"].to_numpy() > 1) & ~named
    unclear: Bools = (answered_seq != NULL) & (seen_seq != NULL) & (answered_seq != seen_seq)
    timed = pd.DataFrame(
        {
            "operation": np.arange(len(operations)),
            "chat_id": chat,
            "clock": operations["clock"].to_numpy(),
            "left_ns": operations["left_ns"].to_numpy(),
            "acknowledged_ns": np.where(unnamed, NEVER, operations["acknowledged_ns"].to_numpy()),
            "seq": np.where(answered_seq != NULL, answered_seq, seen_seq),
            "message_id": np.where(row != NONE, stored_id, operations["message_id"]),
        }
    )
    return timed[(timed["seq"] != NULL) & ~elsewhere & ~unclear]
