"""`idempotency.retries`: a repeat with the same client_generated_id is the same message."""

from collections.abc import Iterator

import numpy as np

from analysis.checks.account import Account
from analysis.checks.findings import NO_LAST_LOOK, Namer
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults
from analysis.record.codes import Outcome


def retries(account: Account) -> Criterion:
    """Every ok answer to a message's attempts gave the same id and seq, and there was never more than one row.

    Judged are messages with at least two attempts of which one was ok, or stored a row. Every row counts that a look
    ever saw: one that took the place of another is not the same message. Answers that carry no id or seq say
    nothing of it; the rows then decide alone.
    """
    operations = account.operations
    rows_seen = operations["rows_seen"].to_numpy()
    known = (operations["ok_attempts"].to_numpy() > 0) | (rows_seen > 0)
    repeated = known & (operations["attempts"].to_numpy() > 1)
    unlike_ids = repeated & ~operations["ids_agree"].to_numpy()
    unlike_seqs = repeated & ~operations["seqs_agree"].to_numpy()
    several = repeated & (rows_seen > 1)
    faults = np.flatnonzero(unlike_ids | unlike_seqs | several)
    namer = Namer(account)

    rows_of = list(account.rows_of(faults))

    def tell(place: int) -> Iterator[Finding]:
        number, rows = int(faults[place]), rows_of[place]
        wrong = []
        if unlike_ids[number]:
            ids = ", ".join(map(namer.message, _answers(account, number, "message_id")))
            wrong.append(f"different ids ({ids})")
        if unlike_seqs[number]:
            seqs = ", ".join(map(str, _answers(account, number, "seq")))
            wrong.append(f"different seqs ({seqs})")
        sentence = f"Its {operations['attempts'].iloc[number]} attempts"
        if wrong:
            sentence += f" were answered with {' and '.join(wrong)}"
        if several[number]:
            sentence += f"{' and' if wrong else ''} made {len(rows)} rows: {namer.rows(rows)}"
        yield namer.operation(number, sentence + ".")

    kind = unlike_ids + 2 * unlike_seqs + 4 * several
    return from_faults(
        "idempotency.retries",
        "A repeated send is the same message",
        "messages",
        int(repeated.sum()),
        namer.of_operations(faults, tell, kind[faults]),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={"attempts": int(operations["attempts"].to_numpy()[repeated].sum())},
    )


def _answers(account: Account, number: int, column: str) -> list[int]:
    """What the ok answers to an operation's attempts told, each once, the earliest first."""
    sends = account.evidence.sends
    mine = np.flatnonzero(account.operation_of_send == number)
    mine = mine[(sends["outcome"].to_numpy()[mine] == Outcome.OK) & (sends[column].to_numpy()[mine] >= 0)]
    in_order = mine[np.argsort(sends["answered_ns"].to_numpy()[mine], kind="stable")]
    return list(dict.fromkeys(sends[column].to_numpy()[in_order].tolist()))
