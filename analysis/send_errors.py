"""`errors.send`: which sends the server did not acknowledge, each with what is known of its message."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.checks.account import NULL
from analysis.checks.suite import Audit
from analysis.clocks import Clocks
from analysis.criteria import Criterion, Finding
from analysis.evidence import Evidence
from analysis.faults import UNKNOWN, Faults, kinds_of
from analysis.latency import Targets
from analysis.latency_criteria import errors_criterion
from analysis.record.codes import Outcome


def send_errors(evidence: Evidence, sends: pd.DataFrame, found: Audit, targets: Targets) -> Criterion:
    """`errors.send`; what was rightly refused, or met no server when the run had been cut off, is no part of it.

    Args:
        sends: `Evidence.sends`, row by row, with ``axis_ns``.
    """
    left_out = {"after_leaving": found.rightly_refused, "after_the_end": found.after_the_end}
    return errors_criterion(
        sends[~found.uncounted],
        _not_acknowledged(evidence, found),
        targets,
        left_out={fact: int(which.sum()) for fact, which in left_out.items()},
    )


def _not_acknowledged(evidence: Evidence, found: Audit) -> Faults:
    """The sends that were refused, and not rightly, or got no answer, in the order in which they left; each with the message
    that it became all the same, or by a repeat, where one is known."""
    sends = evidence.sends.assign(became=found.messages_of_sends, became_seq=found.seqs_of_sends)
    missed = (sends["outcome"] != Outcome.OK).to_numpy() & ~found.uncounted
    bad = sends[missed].sort_values("left_ns", kind="stable")
    said = ["outcome", "status_code", "error"]
    left_ns = Clocks.of(evidence).dated(bad["left_ns"], bad["clock"])
    different = bad.groupby(said, observed=True, dropna=False, sort=False)
    sentences = kinds_of(_what_was_said(*one) for one in bad[said].drop_duplicates().itertuples(index=False))

    def tell(place: int) -> Iterator[Finding]:
        send, at_ns = bad.iloc[place], int(left_ns[place])
        yield Finding(
            why=_what_was_said(*send[said]),
            chat_id=evidence.chats.text(send["chat_id"]),
            seq=None if send["became_seq"] == NULL else int(send["became_seq"]),
            message_id=evidence.messages.text(send["became"]),
            client_generated_id=evidence.messages.text(send["client_generated_id"]),
            sender_id=evidence.people.text(send["user_id"]),
            at_ns=None if at_ns == UNKNOWN else at_ns,
        )

    return Faults(
        at_ns=left_ns,
        chat=bad["chat_id"].to_numpy(np.int64),
        kind=sentences[different.ngroup().to_numpy()],
        tell=tell,
    )


def _what_was_said(outcome: int, status_code: int, error: str | None) -> str:
    kind = "refused" if outcome == Outcome.FAIL else "left without a clear answer"
    status = f"HTTP {status_code}" if status_code else "no HTTP answer"
    return f"The send was {kind} ({status})" + (f": {error}" if isinstance(error, str) else ".")
