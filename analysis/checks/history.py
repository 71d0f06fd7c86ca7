"""`history.pages`: keyset pages of a chat's history, put together, are its messages, each once, in order."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer, first_examples
from analysis.criteria import Criterion, Finding, from_findings
from analysis.record.tables import Outcome


class _Fault(NamedTuple):
    """What is wrong with a page, and the message it is about (a row, or a seq that no row has)."""

    page: int
    row: int
    seq: int
    why: str


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
    seqs = numbered["seq"].to_numpy(np.int64)
    of_page = numbered["page"].to_numpy(np.int64)
    starts = np.searchsorted(of_page, np.arange(len(evidence.pages) + 1))
    expected = _expected(account)
    found = np.bincount(on_pages["page"].to_numpy(), minlength=len(evidence.pages))
    faults: list[_Fault] = []
    columns = ("chat_id", "before_seq", "page_limit", "left_ns", "clock")
    for page, chat, before, limit, left_ns, clock in zip(
        read.index.tolist(), *(read[column].tolist() for column in columns), strict=True
    ):
        here = seqs[starts[page] : starts[page + 1]]
        ordered = -here if len(here) and here[0] > here[-1] else here
        steps = np.diff(ordered)
        for place in np.flatnonzero(steps <= 0).tolist():
            what = "twice" if steps[place] == 0 else "out of order"
            faults.append(_Fault(page, NULL, int(here[place + 1]), f"It stood {what} on a page of history."))
        bound = before if before != NULL else np.iinfo(np.int64).max
        faults += [
            _Fault(
                page, NULL, int(seq), f"It stood on a page of history that was asked for below seq {before}."
            )
            for seq in here[here >= bound].tolist()
        ]
        if (chat, clock) in expected:
            lowest = 0 if found[page] < limit else int(here.min()) if len(here) else bound
            faults += _left_out(page, here, expected[chat, clock], (lowest, bound), left_ns)
    namer = Namer(account)
    row_of = _rows_by_number(account)

    def findings() -> Iterator[Finding]:
        for fault in faults:
            chat = int(evidence.pages["chat_id"].iloc[fault.page])
            row = fault.row if fault.row != NULL else row_of.get((chat, fault.seq), NULL)
            reader = evidence.people.text(int(evidence.pages["user_id"].iloc[fault.page]))
            at_ns = int(evidence.pages["answered_ns"].iloc[fault.page])
            if row != NULL:
                yield namer.row(row, fault.why, recipient_id=reader, at_ns=at_ns)
            else:
                chat_id = evidence.chats.text(chat)
                yield Finding(fault.why, chat_id=chat_id, seq=fault.seq, recipient_id=reader, at_ns=at_ns)

    return from_findings(
        "history.pages",
        "Pages of history hold every message once, in order",
        "pages",
        len(read),
        first_examples(findings()),
        count=len(faults),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={"messages": len(on_pages)},
    )


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
            "acknowledged_ns": operations["acknowledged_ns"].to_numpy()[operation],
        }
    )
    table = table[table["acknowledged_ns"] != NULL].sort_values("seq", kind="stable")
    return {
        (int(part["chat_id"].iloc[0]), int(part["clock"].iloc[0])): _Expected(
            part["seq"].to_numpy(np.int64),
            part["row"].to_numpy(np.int64),
            part["acknowledged_ns"].to_numpy(np.int64),
        )
        for _, part in table.groupby(["chat_id", "clock"])
    }


def _left_out(
    page: int, here: Ints, expected: _Expected, between: tuple[int, int], left_ns: int
) -> list[_Fault]:
    begin, end = np.searchsorted(expected.seq, between)
    early = expected.acknowledged_ns[begin:end] < left_ns
    absent = early & ~np.isin(expected.seq[begin:end], here)
    return [
        _Fault(page, int(row), int(seq), "A page of history left it out, though it had been stored before.")
        for row, seq in zip(expected.row[begin:end][absent], expected.seq[begin:end][absent], strict=True)
    ]


def _rows_by_number(account: Account) -> dict[tuple[int, int], int]:
    rows = account.rows
    keys = zip(rows["chat_id"].tolist(), rows["seq"].tolist(), strict=True)
    return dict(zip(keys, range(len(rows)), strict=True))
