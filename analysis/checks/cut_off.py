"""What load processes still met when their run had been cut off: Locust was killed, or its machine.

With it ends the monitor, and so does the embedded staging environment. A load process that goes on for a moment finds no server any
more, which says nothing about the app.
"""

import numpy as np

from analysis.checks.account import Bools
from analysis.clocks import Clocks, asked_ns
from analysis.evidence import Evidence
from analysis.record.codes import Outcome, PollKind


def after_the_end(evidence: Evidence) -> Bools:
    """Which of ``Evidence.sends`` met no server (no HTTP answer) and, in a run that was cut off, may have left after the last look."""
    sends, polls = evidence.sends, evidence.polls
    answered = polls[polls["kind"].to_numpy() != PollKind.FAILED]
    if evidence.run.ended_at is not None or not len(answered):
        return np.zeros(len(sends), np.bool_)
    clocks = Clocks.of(evidence)
    last_look = clocks.moments(asked_ns(answered).max(keepdims=True), np.array([evidence.database.clock]))
    before = clocks.moments(sends["left_ns"], sends["clock"]).before(last_look)
    met_nobody = (sends["outcome"].to_numpy() != Outcome.OK) & (sends["status_code"].to_numpy() == 0)
    after: Bools = met_nobody & ~before
    return after
