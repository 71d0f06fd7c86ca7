"""`status.invalid` and `status.regressed`: a status is one of three, and goes sent → delivered → read only.

Two witnesses: the monitor's looks at the rows, and Realtime's events, which also show what happened between two
looks. Pages of history are heard on the first matter only. What of theirs is certain to have come before what, `analysis.checks.setbacks` says. Only messages of the run
are judged.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from analysis.checks.account import NULL, Account, Bools
from analysis.checks.findings import NO_LAST_LOOK, Namer, both, status_word
from analysis.checks.setbacks import Leader, Spans, backwards, by_rank, on_one_subscription
from analysis.checks.shown import ever_deleted
from analysis.checks.witnesses import STAGES, Entries, Witness, events, joined, looks
from analysis.clocks import Clocks
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults
from analysis.record.codes import EventType, Status


def invalid(account: Account) -> Criterion:
    """`status.invalid`: NULL or an unknown text, at any time; or a new message that is not `sent`.

    Pages of history are heard on this, too, as far as the app's answers tell a status: it is what people read. Whether one of
    the three is the one that the row had just then nobody can tell: the page may have been read before it moved.
    """
    observed, told = looks(account), events(account)
    is_insert = told.table["type"].to_numpy() == EventType.INSERT

    def strange(entries: Entries) -> Bools:
        return np.isin(entries.status, [Status.NULL, Status.OTHER])

    def strange_or_not_new(entries: Entries) -> Bools:
        not_new: Bools = is_insert[entries.position] & (entries.status != Status.SENT)
        return strange(entries) | not_new

    bad_looks = _first_of_each_row(_where(observed, strange))
    bad_events = _first_of_each_row(_where(told, strange_or_not_new))
    bad_events = bad_events.only(~np.isin(bad_events.row, bad_looks.row))
    bad_pages = _strange_on_pages(account)
    bad_pages = bad_pages.only(~np.isin(bad_pages.row, np.concatenate([bad_looks.row, bad_events.row])))
    texts = account.evidence.observations["status_text"]
    namer = Namer(account)

    def by_a_look(place: int) -> Iterator[Finding]:
        position, row, status = (column[place] for column in bad_looks)
        text = texts.iloc[int(position)]
        shown = f"`{text}`" if isinstance(text, str) else status_word(status)
        why = f"Its status is {shown}, which is none of sent, delivered and read."
        yield namer.row(int(row), why, at_ns=int(seen_by_looks[place]))

    def by_an_event(place: int) -> Iterator[Finding]:
        position, row, status = (column[place] for column in bad_events)
        what = "was inserted with" if is_insert[position] else "was shown by an event with"
        why = f"It {what} the status {status_word(status)}."
        yield namer.row(int(row), why, at_ns=int(seen_by_events[place]))

    pages = account.evidence.pages.iloc[account.evidence.page_rows["page"].to_numpy()[bad_pages.position]]
    read_ns = Clocks.of(account.evidence).dated(pages["answered_ns"], pages["clock"])

    def by_a_page(place: int) -> Iterator[Finding]:
        _, row, status = (column[place] for column in bad_pages)
        reader = account.evidence.people.text(int(pages["user_id"].iloc[place]))
        why = f"It was shown on a page of history with the status {status_word(status)}."
        yield namer.row(int(row), why, recipient_id=reader, at_ns=int(read_ns[place]))

    seen_by_looks, seen_by_events = observed.seen_ns(bad_looks.position), told.seen_ns(bad_events.position)
    named = texts.iloc[bad_looks.position].notna().to_numpy()
    kind_of_look = np.where(named, NULL, bad_looks.status).astype(np.int64)
    kind_of_event = 2 * bad_events.status.astype(np.int64) + is_insert[bad_events.position]
    return from_faults(
        "status.invalid",
        "Every status is one of sent, delivered and read",
        "messages",
        _checked(account),
        both(
            both(
                namer.of_rows(bad_looks.row, by_a_look, kind_of_look, seen_by_looks),
                namer.of_rows(bad_events.row, by_an_event, kind_of_event, seen_by_events),
            ),
            namer.of_rows(bad_pages.row, by_a_page, bad_pages.status.astype(np.int64), read_ns),
        ),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def regressed(account: Account) -> Criterion:
    """`status.regressed`: a status that certainly went back, as the looks, the events or both together show.

    Events of one millisecond, Supabase's grain, get the benefit of the doubt.
    """
    observed, told, leader = looks(account), events(account), Leader(account)
    in_turn = Spans(account).heard(observed, by_rank(np.arange(len(observed.table))))
    seen, shown = Spans(account).heard(observed, leader.looks), Spans(account).heard(told, leader.events)
    leader.at_the_end(seen)
    by_anybody = {stage: np.minimum(seen.first[stage], shown.first[stage]) for stage in STAGES}
    testimonies = (  # the first that tells of a row is the one that is quoted
        ("was seen to go back", observed, backwards(in_turn.first, in_turn.last)),
        ("was set back", told, on_one_subscription(told)),
        ("was set back", told, backwards(by_anybody, shown.last)),
        ("had gone back", observed, backwards(by_anybody, seen.last)),
    )
    size = len(account.rows)
    by_whom = np.full(size, NULL, np.int64)
    before, after = np.full(size, NULL, np.int64), np.full(size, NULL, np.int64)
    for number in reversed(range(len(testimonies))):
        back = testimonies[number][2]
        by_whom[back.row], before[back.row], after[back.row] = number, back.high, back.low
    faults = np.flatnonzero(by_whom != NULL)
    namer = Namer(account)

    seen_ns = np.full(size, NULL, np.int64)
    for number, (_, witness, _) in enumerate(testimonies):
        theirs = by_whom == number
        if theirs.any():
            seen_ns[theirs] = witness.seen_ns(witness.last_with(np.where(theirs, after, NULL))[theirs])

    def tell(place: int) -> Iterator[Finding]:
        row = int(faults[place])
        words = testimonies[int(by_whom[row])][0]
        yield namer.row(
            row,
            f"Its status {words}, from {status_word(before[row])} to {status_word(after[row])}.",
            at_ns=int(seen_ns[row]),
        )

    return from_faults(
        "status.regressed",
        "No status goes back",
        "messages",
        _checked(account),
        namer.of_rows(faults, tell, by_whom[faults], seen_ns[faults]),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={} if leader.commits_known else {"commit_times_unused": len(told.table)},
    )


def _checked(account: Account) -> int:
    return int((account.rows["operation"].to_numpy() >= 0).sum())


def _strange_on_pages(account: Account) -> Entries:
    """The first place on a page, of each row, that shows it with none of the three; `position` is in ``Evidence.page_rows``."""
    shown = account.evidence.page_rows
    row = account.row_of_message[shown["message_id"].to_numpy()]
    mine = np.append(account.rows["operation"].to_numpy() >= 0, False)[row] & ~ever_deleted(account)[row]
    status = shown["status"].to_numpy()
    strange = np.flatnonzero(mine & np.isin(status, [Status.NULL, Status.OTHER]))
    return _first_of_each_row([Entries(strange, row[strange], status[strange])])


def _where(witness: Witness, strange: Callable[[Entries], Bools]) -> Iterator[Entries]:
    for entries in witness.entries():
        yield entries.only(strange(entries))


def _first_of_each_row(parts: Iterable[Entries]) -> Entries:
    entries = joined(parts)
    return entries.only(np.unique(entries.row, return_index=True)[1])
