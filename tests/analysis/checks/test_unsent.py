"""Promise: a row in the name of a user of the run that none of them sent is a finding, where the record can tell."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from analysis.checks import messages
from analysis.checks.account import account_for
from analysis.criteria import Criterion
from analysis.evidence import Evidence
from analysis.record.codes import AttemptKind, Guise, Outcome
from analysis.record.tables import OBSERVATIONS
from tests.analysis.histories import History, Message

ANN, BOB, EVE, STRANGER = 0, 1, 2, 9


def talk(baseline: int = 0) -> tuple[History, Message]:
    """A message of the first of two in a chat; a third is in another chat."""
    run = History(people=3)
    chat = run.chat(ANN, BOB, baseline=baseline)
    run.chat(BOB, EVE)
    hello = run.send(ANN, chat, 1.0, seq=baseline + 1)
    run.store(hello)
    return run, hello


def ghost(run: History, sender: int, text: str = "never said", seq: int | None = 2) -> Message:
    return Message(sender, 0, text, run.new_id(), run.new_id(), seq, 2.0)


def judged(run: History, evidence: Evidence | None = None) -> tuple[Criterion, int, int]:
    """`messages.unexpected`, how many rows nobody sent, and how many are other people's."""
    if evidence is None:
        run.finish(20.0)
        evidence = run.evidence()
    account = account_for(evidence)
    found = messages.unexpected(account)
    others = messages.lost(account).facts["rows_of_other_people"]
    return found, int(found.facts["unsent_rows"]), int(others)


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("sender", [ANN, BOB])
def test_what_nobody_sent_is_named_with_whom_it_is_said_to_be_of(sender: int, keyed: bool) -> None:
    """Also the copy of a message that is not quite the same."""
    run, hello = talk()
    strange = ghost(run, sender, hello.text + "\n")
    run.store(strange, keyed=keyed)
    found, unsent, others = judged(run)
    (finding,) = found.examples
    person = str(run.person_id(sender))
    assert (finding.message_id, finding.sender_id) == (str(strange.id), person)
    assert finding.why == f"Nobody of the run sent this message in the name of {person}, yet it is stored."
    assert (found.checked, unsent, others) == (2, 1, 0)


def test_an_identical_copy_is_told_once_and_by_another_criterion() -> None:
    run, hello = talk()
    run.store(ghost(run, ANN, hello.text), keyed=False)
    found, unsent, others = judged(run)
    assert (found.observed, unsent, others) == (0, 0, 0)


def test_a_message_of_somebody_who_is_no_user_of_the_run_is_nobody_s_fault() -> None:
    run, _ = talk()
    run.store(ghost(run, STRANGER))
    found, unsent, others = judged(run)
    assert (found.observed, unsent, others) == (0, 0, 1)


@pytest.mark.parametrize("known_by", ["key", "id", "text"])
def test_what_an_outsider_tried_is_another_criterion_s_affair(known_by: str) -> None:
    run, _ = talk()
    tried = ghost(run, ANN, "let me in")
    stored: dict[str, dict[str, Any]] = {
        "key": {"id": uuid.uuid4(), "text": "altered"},
        "id": {"keyed": False, "text": "altered"},
        "text": {"keyed": False, "id": uuid.uuid4()},
    }
    outcome = Outcome.OK if known_by == "id" else Outcome.INFO
    guise = Guise.ANOTHER_PERSON
    run.attempt(EVE, 0, 1.5, AttemptKind.SEND, guise=guise, outcome=outcome, message=tried, text="let me in")
    run.store(tried, **stored[known_by])
    found, unsent, others = judged(run)
    assert (found.observed, unsent, others) == (0, 0, 1)


def test_what_is_from_before_the_run_is_none_of_it() -> None:
    run, _ = talk(baseline=5)
    run.store(ghost(run, BOB, seq=5))
    found, unsent, others = judged(run)
    assert (found.observed, unsent, others) == (0, 0, 0)


@pytest.mark.parametrize(("dated_s", "faults"), [(61.5, 0), (61.6, 1)])
def test_an_old_seq_hides_nothing_that_says_of_itself_that_it_is_of_the_run(
    dated_s: float, faults: int
) -> None:
    """The first look was at 1.5; an app that dates its messages may be ahead by a minute."""
    run, _ = talk(baseline=5)
    forged = ghost(run, BOB, seq=3)
    forged.at = dated_s
    run.store(forged)
    found, unsent, others = judged(run)
    assert (found.observed, unsent, others) == (faults, faults, 0)


def test_an_old_row_of_somebody_else_that_is_of_the_run_is_counted() -> None:
    run, _ = talk(baseline=5)
    forged = ghost(run, STRANGER, seq=3)
    forged.at = 70.0
    run.store(forged)
    assert judged(run)[2] == 1


def test_what_may_be_from_before_the_run_is_counted_only() -> None:
    run, _ = talk(baseline=5)
    run.store(ghost(run, BOB, seq=None))
    assert run.rows["observations"][-1][OBSERVATIONS.get_field_index("seq")] is None
    found, unsent, _ = judged(run)
    assert (found.observed, unsent) == (0, 1)


@pytest.mark.parametrize("broken", ["killed", "rows lost", "cut off", "not at all"])
def test_where_the_record_lacks_something_it_is_counted_only(broken: str) -> None:
    """Whoever was killed may have sent it, and not have written that down."""
    run, _ = talk()
    run.store(ghost(run, BOB))
    run.finish(20.0)
    evidence = run.evidence()
    (part,) = evidence.parts
    assert part.process is not None
    if broken == "killed":
        part = replace(part, process=replace(part.process, closed=False))
    elif broken == "rows lost":
        part = replace(part, process=replace(part.process, dropped={"sends": 1}))
    elif broken == "cut off":
        evidence.run.ended_at = None
    found, unsent, _ = judged(run, replace(evidence, parts=(part,)))
    assert (found.observed, unsent) == (broken == "not at all", 1)
