"""Promise: `errors.send` counts and names exactly the sends that were not acknowledged, and none that had to be refused."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks.account import account_for
from analysis.checks.cut_off import after_the_end
from analysis.checks.departures import Departures
from analysis.checks.suite import Audit
from analysis.clocks import Clocks
from analysis.criteria import Criterion
from analysis.faults import pattern
from analysis.latency import Targets
from analysis.record.codes import Outcome
from analysis.send_errors import send_errors
from tests.analysis.checks.oracles.errors_oracle import (
    FOUND_BACK_S,
    FOUND_GONE_S,
    LAST_SEEN_S,
    Errors,
    Sent,
    Try,
    errors,
)
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.histories import History, Message

WRITER, LEAVER = 0, 1
STATUS, OUTCOME, ERROR = 8, 7, 12  # columns of the table of sends
WORDS = ("the server is busy", "no such chat", "<b>bold</b>")

refused = st.builds(
    Try, st.just(Outcome.FAIL), st.sampled_from([400, 403, 404, 409]), st.none() | st.sampled_from(WORDS)
)
unclear = st.builds(
    Try, st.just(Outcome.INFO), st.sampled_from([0, 403, 429, 500, 503]), st.none() | st.sampled_from(WORDS)
)
acknowledged = st.just(Try(Outcome.OK, 201, None))
sent_messages = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(
            [1.0, LAST_SEEN_S - 5, LAST_SEEN_S + 5, FOUND_GONE_S + 5, FOUND_BACK_S - 5, FOUND_BACK_S + 5]
        ),
        st.lists(acknowledged | refused | unclear, min_size=1, max_size=3).map(tuple),
        st.booleans(),
    ),
    max_size=12,
).map(lambda drawn: [Sent(who, at_s + 0.1 * place, *rest) for place, (who, at_s, *rest) in enumerate(drawn)])


def told(sent: list[Sent], back: bool) -> tuple[History, list[Message]]:
    """The record of a run in which they were sent; a message that is stored has the seq of its place."""
    made = History(people=3)
    chat = made.chat(WRITER, LEAVER, 2)
    made.poll(0.0)
    messages = []
    for one in sent:
        writer, seq = LEAVER if one.leaver else WRITER, len(messages) + 1
        message = made.send(writer, chat, one.at_s, outcome=one.tries[0].outcome, seq=seq)
        for number, attempt in enumerate(one.tries):
            if number:
                made.repeat(message, one.at_s + 0.01 * number, outcome=attempt.outcome)
            row = list(made.rows["sends"][-1])
            assert row[OUTCOME] is attempt.outcome
            row[STATUS], row[ERROR] = attempt.status_code, attempt.words
            made.rows["sends"][-1] = tuple(row)
        messages.append(message)
    made.poll(LAST_SEEN_S)
    made.poll(FOUND_GONE_S)
    made.member(LEAVER, chat, FOUND_GONE_S, there=False)
    made.poll(FOUND_BACK_S)
    if back:
        made.member(LEAVER, chat, FOUND_BACK_S)
    made.poll(90.0)
    for one, message in zip(sent, messages, strict=True):
        if one.stored:
            made.observe(message, 90.0)
    made.finish()
    return made, messages


def judged(made: History, share: float) -> Criterion:
    """`errors.send` of that record."""
    evidence = made.evidence()
    account = account_for(evidence)
    known = Audit(  # what the criterion asks of it, without the other criteria's work
        counts={},
        criteria=(),
        messages_of_sends=account.messages_of_sends(),
        seqs_of_sends=account.seqs_of_sends(),
        rightly_refused=Departures.of(account).rightly_refused(evidence.sends, Clocks.of(evidence)),
        after_the_end=after_the_end(evidence),
    )
    sends = evidence.sends.assign(axis_ns=evidence.sends["left_ns"].astype(np.int64))
    targets = Targets.of({"CHATSOAK_TARGET_ERRORS_SHARE": share})
    return send_errors(evidence, sends, known, targets)


def sentence(one: Try) -> str:
    """How a finding begins that is about this attempt."""
    kind = "refused" if one.outcome is Outcome.FAIL else "left without a clear answer"
    status = f"HTTP {one.status_code}" if one.status_code else "no HTTP answer"
    return f"The send was {kind} ({status})" + (f": {one.words}" if one.words else ".")


@pytest.mark.parametrize("examples", EXAMPLES)
def test_the_criterion_agrees_with_its_oracle(examples: int | None) -> None:
    @thoroughly(examples)
    @given(sent_messages, st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.booleans())
    def agrees(sent: list[Sent], share: float, back: bool) -> None:
        made, messages = told(sent, back)
        found = judged(made, share)
        answer: Errors = errors(sent, share, back=back)
        expected = Counter(
            (
                str(messages[number].client_id),
                sentence(one),
                str(messages[number].id) if known else None,
                number + 1 if known else None,
                str(made.person_id(messages[number].sender)),
            )
            for number, one, known in answer.faults
        )
        assert expected == Counter(
            (one.client_generated_id, one.why, one.message_id, one.seq, one.sender_id)
            for one in found.examples
        )
        assert found.found.count == found.facts["not_ok"] == len(answer.faults)
        assert found.facts["refused"] == sum(one.outcome is Outcome.FAIL for _, one, _ in answer.faults)
        assert found.facts["unknown"] == sum(one.outcome is Outcome.INFO for _, one, _ in answer.faults)
        assert found.facts.get("after_leaving", 0) == answer.after_leaving
        kinds = Counter(pattern(one.why) for one in found.examples)
        assert all(kind.count == kinds[kind.why] for kind in found.found.largest)
        assert found.checked == answer.checked
        assert found.outcome is answer.outcome, found.reason

    agrees()
