"""`messages.lost`, `.unexpected` and `.duplicated`: was what the server said about each message true of the database?

Vocabulary of Jepsen's checkers: an ok message that is not stored is *lost*; a refused one that is stored is
*unexpected*; an info one may be either, and is *recovered* when it is stored. See `analysis.checks.account`
for what counts as one message, and `analysis.checks.corruption` for what is stored of it.
"""

from collections.abc import Iterator

import numpy as np

from analysis.checks.account import NEVER, Account, Bools, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer, both, counted, either, seconds
from analysis.checks.unsent import proven, unsent
from analysis.clocks import Clocks
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults
from analysis.record.codes import ObservedChange, Outcome

WENT = {
    Outcome.OK: "The server acknowledged this message and stored it, yet it is no longer in the database.",
    Outcome.INFO: "The server stored this message without a clear answer, and it is no longer in the database.",
    Outcome.FAIL: "The server refused this message and stored it all the same, and it is no longer in the database.",
}

_NAMED = ("sender_id", "chat_id", "client_generated_id")  # by its value, which may be none


def lost(account: Account) -> Criterion:
    """`messages.lost`: acknowledged, and not in the database at the end; or stored, and gone, whatever the answer.

    Nobody of the load deletes: what a look saw stored has to stay, and so has the row that an answer named, whether or not
    another one has taken its place. A row that was gone for a while and came back did not stay. Of several rows of one
    message only the one that was answered counts here.
    """
    operations, rows = account.operations, account.rows
    namer = Namer(account)
    outcome = operations["outcome"].to_numpy()
    ok = outcome == Outcome.OK
    seen = operations["rows_seen"].to_numpy() > 0
    answered_row = account.row_of_message[operations["message_id"].to_numpy(np.int64)]
    answered_went = ok & (answered_row >= 0)
    answered_went[answered_went] = rows["gone"].to_numpy()[answered_row[answered_went]]
    went = answered_went | (seen & (operations["rows"].to_numpy() == 0))
    never_seen = ok & ~seen & ~went
    too_late = never_seen & _perhaps_after_the_last_look(account)
    unseen = account.last_look_ns is None  # what was never seen may be there all the same
    away_ns = _away_ns(account)
    by_its_own = went & ~answered_went  # the row that was answered may be another message's, and is there
    meant = np.where(ok & (answered_row >= 0) & ~by_its_own, answered_row, account.row_of_operation())
    alone = (ok & (answered_row >= 0)) | (operations["rows_seen"].to_numpy() == 1)
    returned = alone & ~went & (np.append(away_ns, 0)[meant] > 0)
    faults = np.flatnonzero(went | returned | (never_seen & ~too_late & (not unseen)))

    row = meant[faults]

    def vanished(place: int) -> Iterator[Finding]:
        number = int(row[place])
        if returned[faults[place]]:
            # Polls do not look again for what is gone, so only the last look may find it back, long after it came.
            after = seconds(int(away_ns[number]))
            why = (
                "This message was stored, was gone from the database, and came back: it was found again "
                f"{after} after a look had missed it."
            )
            yield namer.row(number, why)
        else:
            yield namer.row(number, WENT[Outcome(outcome[faults[place]])])

    def never_came(place: int) -> Iterator[Finding]:
        yield namer.operation(
            int(faults[place]), "The server acknowledged this message, yet it never appeared in the database."
        )

    reason = NO_LAST_LOOK if unseen else None
    if not reason and too_late.any():
        reason = f"{counted(int(too_late.sum()), 'message')} may have been acknowledged after the monitor's last look."
        if never_compared := int((too_late & ~Clocks.of(account.evidence).known(operations["clock"])).sum()):
            reason += f" {never_compared:,} of them were sent by machines whose clocks could not be held against the monitor's."
    return from_faults(
        "messages.lost",
        "No acknowledged message is lost",
        "messages",
        int((ok | seen).sum()),
        either(
            (went | returned)[faults],
            namer.of_rows(row, vanished, np.where(returned, len(Outcome), outcome)[faults].astype(np.int64)),
            namer.of_operations(faults, never_came),
        ),
        inconclusive=reason,
        facts={
            "recovered": int(((operations["outcome"] == Outcome.INFO) & (operations["rows"] > 0)).sum()),
            "rows_of_other_people": int(((rows["operation"] < 0) & ~rows["before"]).sum())
            - len(unsent(account)),
        },
    )


def unexpected(account: Account) -> Criterion:
    """`messages.unexpected`: refused, and stored all the same; or in the name of a user of the run who never sent it.

    Of the latter only where the record can tell (see `analysis.checks.unsent`); all such rows are counted as a fact.
    """
    operation = account.rows["operation"].to_numpy()
    refused = account.operations["outcome"].to_numpy() == Outcome.FAIL
    faults = np.flatnonzero((operation >= 0) & _at(refused, operation))
    unsent_rows = unsent(account)
    unsent_faults = proven(account, unsent_rows)
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        yield namer.row(int(faults[place]), "The server refused this message, yet it is stored.")

    def tell_unsent(place: int) -> Iterator[Finding]:
        number = int(unsent_faults[place])
        sender = namer.person(int(account.rows["sender_id"].iloc[number]))
        yield namer.row(
            number, f"Nobody of the run sent this message in the name of {sender}, yet it is stored."
        )

    return from_faults(
        "messages.unexpected",
        "No message is stored that was refused or never sent",
        "messages",
        len(refused) + len(unsent_faults),
        both(namer.of_rows(faults, tell), namer.of_rows(unsent_faults, tell_unsent)),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={"refused": int(refused.sum()), "unsent_rows": len(unsent_rows)},
    )


def duplicated(account: Account) -> Criterion:
    """`messages.duplicated`: sent once, or repeated with the same id, and stored more than once.

    Every row counts that a look ever saw: a copy that was removed again has been shown meanwhile.
    """
    rows_seen = account.operations["rows_seen"].to_numpy()
    faults = np.flatnonzero(rows_seen > 1)
    rows_of = list(account.rows_of(faults))
    first = np.array([rows[0] for rows in rows_of], np.int64)
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        rows = rows_of[place]
        yield namer.row(rows[0], f"This message was stored {len(rows)} times: as {namer.rows(rows)}.")

    return from_faults(
        "messages.duplicated",
        "No message is stored more than once",
        "messages",
        int((rows_seen > 0).sum()),
        namer.of_rows(first, tell),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def _away_ns(account: Account) -> Ints:
    """For each row for how long looks did not find it, and then did again: from the look that missed it to the one that saw
    it, all such times together; 0 for all that stayed, or went for good."""
    observations = account.evidence.observations
    row = account.row_of_message[observations["message_id"].to_numpy()]
    order = np.argsort(row, kind="stable")
    row, gone = row[order], observations["change"].to_numpy()[order] == ObservedChange.GONE
    at_ns = observations["at_ns"].to_numpy(np.int64)[order]
    back = np.flatnonzero(gone[:-1] & (row[:-1] == row[1:]))
    away = np.zeros(len(account.rows), np.int64)
    np.add.at(away, row[back], np.maximum(at_ns[back + 1] - at_ns[back], 1))
    return away


def _perhaps_after_the_last_look(account: Account) -> Bools:
    """Operations that may have been acknowledged after the last look's snapshot; of those without an ok answer it says nothing.

    A load process that lost its master goes on for a while, on whatever machine. That an answer came before tell the clocks, as
    far as they can be compared; or the process itself, of whatever clock, by something that it sent later and a look saw.
    """
    operations, asked_ns = account.operations, account.last_look_asked_ns
    if asked_ns is None:
        return np.zeros(len(operations), np.bool_)
    clocks, clock = Clocks.of(account.evidence), operations["clock"].to_numpy(np.int64)
    acknowledged = clocks.moments(operations["acknowledged_ns"], clock)
    look = clocks.moments(np.array([asked_ns]), np.array([account.monitor_clock]))
    before = acknowledged.before(look) | (acknowledged.at_ns < _left_before_the_last_look(account)[clock])
    perhaps: Bools = ~before
    return perhaps


def _left_before_the_last_look(account: Account) -> Ints:
    """For each clock, by itself, when the last message left of which it is certain that it left before the last look: a row with
    its key was seen by then. An id in an answer, or a text, may be those of a row that was there before."""
    operations, rows = account.operations, account.rows
    operation, key = (rows[column].to_numpy(np.int64) for column in ("operation", "client_generated_id"))
    # What follows the last look at everything looks at missing numbers, and may find what came later.
    by_then = rows["first_at_ns"].to_numpy() <= account.last_look_ns
    keyed = np.flatnonzero((operation >= 0) & (key >= 0) & by_then)
    seen = operation[keyed]
    seen = seen[operations["client_generated_id"].to_numpy(np.int64)[seen] == key[keyed]]
    clock = operations["clock"].to_numpy(np.int64)
    left_ns = np.full(int(clock.max(initial=0)) + 1, NEVER, np.int64)
    np.maximum.at(left_ns, clock[seen], operations["left_ns"].to_numpy(np.int64)[seen])
    return left_ns


def _at(flags: Bools, positions: Ints) -> Bools:
    """`flags` at `positions`; False where a position is -1."""
    found: Bools = np.append(flags, False)[positions]
    return found
