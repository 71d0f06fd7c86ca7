"""`history.pages`: keyset pages of a chat's history, put together, are its messages, each once, in order."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.checks.account import NEVER, NULL, Account, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer
from analysis.criteria import Criterion, Finding
from analysis.faults import Faults, from_faults, kinds_of
from analysis.identifiers import NONE
from analysis.record.codes import Outcome


class _Fault(NamedTuple):
    """What is wrong with a page, and the message it is about: its row, or where that is not known its seq."""

    page: int
    row: int
    seq: int
    why: str


class _Shown(NamedTuple):
    """The messages on a page that have a seq, in the order answered."""

    seq: Ints
    message: Ints  # their codes; `NONE` where the app gives no id

    def again(self) -> Ints:
        """Places of messages that stood on the page before. Two messages with one seq are `seq.duplicates`' affair."""
        known = np.flatnonzero(self.message != NONE)
        _, first = np.unique(self.message[known], return_index=True)
        return np.delete(known, first)

    def out_of_order(self) -> Ints:
        """Places of messages against the page's direction, where they are not there `again`."""
        downwards = len(self.seq) > 1 and self.seq[0] > self.seq[-1]
        against = np.flatnonzero(np.diff(-self.seq if downwards else self.seq) < 0) + 1
        return np.setdiff1d(against, self.again())


def pages(account: Account) -> Criterion:
    """On each page: no message twice, one direction, all below the bound, and none left out.

    A message belongs on a page when it was acknowledged before the page was asked for (on one clock), its seq
    lies below the bound, and the page reaches down to it: to its lowest seq, or, when the page is not full, to the
    chat's beginning. Messages that were deleted, and everybody else's, may be there or not.
    """
    evidence = account.evidence
    read = evidence.pages[evidence.pages["outcome"] == Outcome.OK]
    on_pages = evidence.page_rows
    numbered = on_pages[on_pages["seq"] != NULL]
    every = _Shown(numbered["seq"].to_numpy(np.int64), numbered["message_id"].to_numpy(np.int64))
    starts = np.searchsorted(numbered["page"].to_numpy(np.int64), np.arange(len(evidence.pages) + 1))
    expected = _expected(account)
    found = np.bincount(on_pages["page"].to_numpy(), minlength=len(evidence.pages))
    faults: list[_Fault] = []
    columns = ("chat_id", "before_seq", "page_limit", "left_ns", "clock")
    for page, chat, before, limit, left_ns, clock in zip(
        read.index.tolist(), *(read[column].tolist() for column in columns), strict=True
    ):
        here = _Shown(*(column[starts[page] : starts[page + 1]] for column in every))
        bound = before if before != NULL else np.iinfo(np.int64).max
        for places, why in (
            (here.again(), "It stood twice on a page of history."),
            (here.out_of_order(), "It stood out of order on a page of history."),
            (
                np.flatnonzero(here.seq >= bound),
                f"It stood on a page of history that was asked for below seq {before}.",
            ),
        ):
            faults += [
                _Fault(page, _row(account, int(here.message[place])), int(here.seq[place]), why)
                for place in places.tolist()
            ]
        if (chat, clock) in expected:
            whole = found[page] < limit
            lowest = NULL if whole else int(here.seq.min()) if len(here.seq) else bound
            faults += _left_out(page, here, expected[chat, clock], (lowest, bound), left_ns)
    namer = Namer(account)
    bad_page = np.array([fault.page for fault in faults], np.int64)

    def tell(place: int) -> Iterator[Finding]:
        fault = faults[place]
        reader = evidence.people.text(int(evidence.pages["user_id"].iloc[fault.page]))
        at_ns = int(evidence.pages["answered_ns"].iloc[fault.page])
        if fault.row != NONE:
            yield namer.row(fault.row, fault.why, recipient_id=reader, at_ns=at_ns)
        else:
            chat_id = evidence.chats.text(int(evidence.pages["chat_id"].iloc[fault.page]))
            yield Finding(fault.why, chat_id=chat_id, seq=fault.seq, recipient_id=reader, at_ns=at_ns)

    return from_faults(
        "history.pages",
        "Pages of history hold every message once, in order",
        "pages",
        len(read),
        Faults(
            at_ns=evidence.pages["answered_ns"].to_numpy(np.int64)[bad_page],
            chat=_chats(account, faults, bad_page),
            kind=kinds_of(fault.why for fault in faults),
            tell=tell,
        ),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={"messages": len(on_pages)},
    )


def _chats(account: Account, faults: list[_Fault], page: Ints) -> Ints:
    """Of each fault the chat of its row, or else of its page."""
    row = np.array([fault.row for fault in faults], np.int64)
    of_row = np.append(account.rows["chat_id"].to_numpy(np.int64), NONE)[row]
    return np.where(row != NONE, of_row, account.evidence.pages["chat_id"].to_numpy(np.int64)[page])


class _Expected(NamedTuple):
    """Messages of a chat that stay, by seq: their rows and when each was acknowledged."""

    seq: Ints
    row: Ints
    acknowledged_ns: Ints


def _expected(account: Account) -> dict[tuple[int, int], _Expected]:
    """By chat and clock domain of the sender."""
    rows, operations = account.rows, account.operations
    stays = np.flatnonzero(
        account.stored & (rows["seq"].to_numpy() != NULL) & ~rows["deleted"].to_numpy(np.bool_)
    )
    operation = rows["operation"].to_numpy()[stays]
    table = pd.DataFrame(
        {
            "row": stays,
            "chat_id": rows["chat_id"].to_numpy()[stays],
            "seq": rows["seq"].to_numpy()[stays],
            "clock": operations["clock"].to_numpy()[operation],
            "acknowledged_ns": rows["acknowledged_ns"].to_numpy()[stays],
        }
    )
    table = table[table["acknowledged_ns"] != NEVER].sort_values("seq", kind="stable")
    return {
        (int(part["chat_id"].iloc[0]), int(part["clock"].iloc[0])): _Expected(
            part["seq"].to_numpy(np.int64),
            part["row"].to_numpy(np.int64),
            part["acknowledged_ns"].to_numpy(np.int64),
        )
        for _, part in table.groupby(["chat_id", "clock"])
    }


def _left_out(
    page: int, here: _Shown, expected: _Expected, between: tuple[int, int], left_ns: int
) -> list[_Fault]:
    """Messages above the page's lowest seq and below its bound that are not on it."""
    low, bound = between
    begin, end = np.searchsorted(expected.seq, (low + 1, bound))
    early = expected.acknowledged_ns[begin:end] < left_ns
    # By seq: that a page shows a message under another id is told by the checks of what is stored.
    absent = early & ~np.isin(expected.seq[begin:end], here.seq)
    return [
        _Fault(page, int(row), int(seq), "A page of history left it out, though it had been stored before.")
        for row, seq in zip(expected.row[begin:end][absent], expected.seq[begin:end][absent], strict=True)
    ]


def _row(account: Account, message: int) -> int:
    """Its place in `Account.rows`; `NONE` when it was never seen in the database."""
    return int(account.row_of_message[message]) if message != NONE else NONE
