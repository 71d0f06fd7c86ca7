"""`messages.lost`, `.unexpected` and `.duplicated`: was what the server said about each message true of the database?

Vocabulary of Jepsen's checkers: an ok message that is not stored is *lost*; a refused one that is stored is
*unexpected*; an info one may be either, and is *recovered* when it is stored. See `analysis.checks.account`
for what counts as one message, and `analysis.checks.corruption` for what is stored of it.
"""

from collections.abc import Iterator

import numpy as np

from analysis.checks.account import NEVER, Account, Bools, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer, first_examples
from analysis.criteria import Criterion, Finding, from_findings
from analysis.record.codes import Outcome

WENT = {
    Outcome.OK: "The server acknowledged this message and stored it, yet it is no longer in the database.",
    Outcome.INFO: "The server stored this message without a clear answer, and it is no longer in the database.",
    Outcome.FAIL: "The server refused this message and stored it all the same, and it is no longer in the database.",
}


def lost(account: Account) -> Criterion:
    """`messages.lost`: acknowledged, and not in the database at the end; or stored, and gone, whatever the answer.

    Nobody of the load deletes: what a look saw stored has to stay, and so has the row that an answer named, whether or not
    another one has taken its place.
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
    too_late = never_seen & _answered_after_the_last_look(account)
    unseen = account.last_look_ns is None  # what was never seen may be there all the same
    faults = np.flatnonzero(went | (never_seen & ~too_late & (not unseen)))

    def findings() -> Iterator[Finding]:
        vanished_row = np.where(answered_went, answered_row, account.row_of_operation())
        for number in faults.tolist():
            if went[number]:
                yield namer.row(int(vanished_row[number]), WENT[Outcome(outcome[number])])
            else:
                yield namer.operation(
                    number, "The server acknowledged this message, yet it never appeared in the database."
                )

    reason = NO_LAST_LOOK if unseen else None
    if not reason and too_late.any():
        reason = f"{too_late.sum():,} messages were acknowledged after the monitor's last look."
    return from_findings(
        "messages.lost",
        "No acknowledged message is lost",
        "messages",
        int((ok | seen).sum()),
        first_examples(findings()),
        count=len(faults),
        inconclusive=reason,
        facts={
            "recovered": int(((operations["outcome"] == Outcome.INFO) & (operations["rows"] > 0)).sum()),
            "rows_of_other_people": int(((rows["operation"] < 0) & ~rows["before"]).sum()),
        },
    )


def unexpected(account: Account) -> Criterion:
    """`messages.unexpected`: refused, and stored all the same."""
    operation = account.rows["operation"].to_numpy()
    refused = account.operations["outcome"].to_numpy() == Outcome.FAIL
    faults = np.flatnonzero((operation >= 0) & _at(refused, operation))
    namer = Namer(account)
    return from_findings(
        "messages.unexpected",
        "No refused message is stored",
        "messages",
        len(refused),
        first_examples(
            namer.row(row, "The server refused this message, yet it is stored.") for row in faults.tolist()
        ),
        count=len(faults),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={"refused": int(refused.sum())},
    )


def duplicated(account: Account) -> Criterion:
    """`messages.duplicated`: sent once, or repeated with the same id, and stored more than once.

    Every row counts that a look ever saw: a copy that was removed again has been shown meanwhile.
    """
    rows_seen = account.operations["rows_seen"].to_numpy()
    faults = np.flatnonzero(rows_seen > 1)
    namer = Namer(account)

    def findings() -> Iterator[Finding]:
        for rows in account.rows_of(faults):
            yield namer.row(rows[0], f"This message was stored {len(rows)} times: as {namer.rows(rows)}.")

    return from_findings(
        "messages.duplicated",
        "No message is stored more than once",
        "messages",
        int((rows_seen > 0).sum()),
        first_examples(findings()),
        count=len(faults),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def _answered_after_the_last_look(account: Account) -> Bools:
    """Operations whose answer came after the sweep; across clocks the sweep, which follows the drain, is later."""
    operations = account.operations
    acknowledged = operations["acknowledged_ns"].to_numpy()
    if account.last_look_ns is None:
        return np.zeros(len(operations), np.bool_)
    comparable = operations["clock"].to_numpy() == account.monitor_clock
    late: Bools = comparable & (acknowledged != NEVER) & (acknowledged > account.last_look_ns)
    return late


def _at(flags: Bools, positions: Ints) -> Bools:
    """`flags` at `positions`; False where a position is -1."""
    found: Bools = np.append(flags, False)[positions]
    return found
