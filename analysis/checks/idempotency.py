"""`idempotency.retries`: a repeat with the same client_generated_id is the same message."""

from collections.abc import Iterator

import numpy as np

from analysis.checks.account import Account
from analysis.checks.findings import Namer
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults


def retries(account: Account) -> Criterion:
    """Every ok answer to a message's attempts gave the same id and seq, and there is one row.

    Judged are messages with at least two attempts of which one was ok. Answers that carry no id or seq say
    nothing of it; the rows then decide alone.
    """
    operations = account.operations
    repeated = (operations["attempts"].to_numpy() > 1) & (operations["ok_attempts"].to_numpy() > 0)
    unlike_ids = repeated & ~operations["ids_agree"].to_numpy()
    unlike_seqs = repeated & ~operations["seqs_agree"].to_numpy()
    several = repeated & (operations["rows"].to_numpy() > 1)
    faults = np.flatnonzero(unlike_ids | unlike_seqs | several)
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        number = int(faults[place])
        wrong = [
            words
            for words, where in (
                ("different ids", unlike_ids),
                ("different seqs", unlike_seqs),
            )
            if where[number]
        ]
        sentence = f"Its {operations['attempts'].iloc[number]} attempts"
        if wrong:
            sentence += f" were answered with {' and '.join(wrong)}"
        if several[number]:
            sentence += f"{' and' if wrong else ''} made {operations['rows'].iloc[number]} rows"
        yield namer.operation(number, sentence + ".")

    kind = unlike_ids + 2 * unlike_seqs + 4 * several
    return from_faults(
        "idempotency.retries",
        "A repeated send is the same message",
        "messages",
        int(repeated.sum()),
        namer.of_operations(faults, tell, kind[faults]),
        facts={"attempts": int(operations["attempts"].to_numpy()[repeated].sum())},
    )
