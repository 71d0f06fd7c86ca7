"""Rows in the name of the run's own users that none of them sent: what an app, a migration or a forger has put there."""

import numpy as np

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.checks.completeness import is_whole
from analysis.identifiers import NONE
from analysis.record.codes import AttemptKind


def unsent(account: Account) -> Ints:
    """Positions in `Account.rows`, of such as are no message of a user and no outsider's attempt, which is `access.denied`'s.

    Not of those from before the run, as far as their seq and their date tell.
    """
    evidence, rows = account.evidence, account.rows
    users = np.zeros(len(evidence.people) + 1, np.bool_)
    users[evidence.participants["user_id"].to_numpy()] = True
    users[evidence.sends["user_id"].to_numpy()] = True
    users[NONE] = False
    strange = (rows["operation"].to_numpy() < 0) & ~rows["before"].to_numpy()
    return np.flatnonzero(strange & users[rows["sender_id"].to_numpy()] & ~_attempted(account))


def proven(account: Account, unsent_rows: Ints) -> Ints:
    """Those of these rows of which the record can tell that nobody sent them: it has all sends, and they are of the run.

    A process that was killed, or lost rows of its record, may have sent anything; and a row without a seq, or in a chat
    without a baseline, may be from before.
    """
    if not is_whole(account.evidence):
        return unsent_rows[:0]
    rows = account.rows
    based = np.isin(rows["chat_id"].to_numpy(), account.evidence.baseline["chat_id"].to_numpy())
    dated = based & (rows["seq"].to_numpy() != NULL)
    known: Ints = unsent_rows[dated[unsent_rows]]
    return known


def _attempted(account: Account) -> Bools:
    """Which rows may be an outsider's: by key, id or text."""
    rows, attempts = account.rows, account.evidence.attempts
    sends = attempts[(attempts["kind"] == AttemptKind.SEND).to_numpy()]
    may: Bools = np.isin(rows["text_hash"].to_numpy(), sends["text_hash"].to_numpy())
    for column in ("client_generated_id", "message_id"):
        told = sends[column].to_numpy()
        may |= np.isin(rows[column].to_numpy(), told[told != NONE])
    return may
