"""Promise: an attempt that gave or changed something is a finding; one that proves nothing does not count as refused."""

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import AttemptKind, Guise, ObservedChange, Outcome, Status, Way
from tests.analysis.checks.machines import on_two_machines
from tests.analysis.histories import History

OUTSIDER = 2
LATER = 10.0
OK = Outcome.OK


def talk() -> tuple[History, int]:
    """Two people in a chat with one message, and a third who is not in it."""
    run = History(people=3)
    chat = run.chat(0, 1)
    hello = run.send(0, chat, at=1.0, seq=1)
    run.store(hello)
    run.deliver(hello)
    return run, chat


def denied(run: History) -> Criterion:
    """`access.denied`, after making sure that nobody else is to blame."""
    run.finish(20.0)
    found = {one.id: one for one in audit(run.evidence(), 5).criteria}
    assert {name for name, one in found.items() if one.outcome is Verdict.FAIL} <= {"access.denied"}
    return found["access.denied"]


@pytest.mark.parametrize("kind", AttemptKind)
@pytest.mark.parametrize("guise", Guise)
def test_what_is_refused_is_right(kind: AttemptKind, guise: Guise) -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, kind, guise=guise)
    found = denied(run)
    assert (found.outcome, found.checked, found.observed) == (Verdict.PASS, 1, 0)


@pytest.mark.parametrize("kind", [kind for kind in AttemptKind if kind is not AttemptKind.SEND])
def test_what_gave_something_is_a_finding(kind: AttemptKind) -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, kind, outcome=OK, got=3, took=3.0)
    found = denied(run)
    assert (found.outcome, found.observed, found.checked) == (Verdict.FAIL, 1, 1)
    (finding,) = found.examples
    assert finding.sender_id == str(run.person_id(OUTSIDER))
    assert finding.chat_id == str(run.chat_id(chat))
    assert "who is not in it tried" in finding.why
    assert "3" in finding.why


SEEN_OUT, SEEN_IN = 4.0, 5.0  # looks: the last that did not see the outsider in the chat, the first that did


@pytest.mark.parametrize(("at", "judged"), [(3.0, True), (4.5, False), (LATER, False), (16.0, True)])
@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("kind", [AttemptKind.READ, AttemptKind.SEND])
def test_who_was_added_to_the_chat_may(at: float, judged: bool, granted: bool, kind: AttemptKind) -> None:
    run, chat = talk()
    run.poll(SEEN_OUT)
    run.poll(SEEN_IN)
    run.member(OUTSIDER, chat, SEEN_IN)
    run.poll(15)
    run.member(OUTSIDER, chat, 15, there=False)
    got = 1 if granted and kind is AttemptKind.READ else None
    hello = run.messages[0]
    run.attempt(
        OUTSIDER,
        chat,
        at,
        kind,
        outcome=OK if granted else Outcome.FAIL,
        got=got,
        message=hello if granted and kind is AttemptKind.READ else None,
    )
    if granted and kind is AttemptKind.SEND:
        run.rows["attempts"][-1] = (
            *run.rows["attempts"][-1][:10],
            run.new_id().bytes,
            *run.rows["attempts"][-1][11:],
        )
    found = denied(run)
    assert (found.observed, found.checked) == (int(granted and judged), int(judged))
    assert found.facts["unclear"] == int(not judged)


def test_events_count_also_when_the_socket_broke() -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.SUBSCRIBE, outcome=Outcome.INFO, got=1)
    assert denied(run).observed == 1


@pytest.mark.parametrize("kind", [AttemptKind.READ, AttemptKind.LATEST, AttemptKind.MARK_READ])
def test_nothing_is_a_refusal_only_where_there_was_something(kind: AttemptKind) -> None:
    run, chat = talk()
    empty = run.chat(0, 1)
    run.attempt(OUTSIDER, chat, 0.5, kind, outcome=OK, got=0)  # before anybody had written
    run.attempt(OUTSIDER, empty, LATER, kind, outcome=OK, got=0)
    run.attempt(OUTSIDER, chat, LATER, kind, outcome=OK, got=0)
    found = denied(run)
    assert (found.outcome, found.checked, found.facts["nothing_to_be_had"]) == (Verdict.PASS, 1, 2)


MARKING = [
    (AttemptKind.MARK_DELIVERED, Status.DELIVERED),
    (AttemptKind.MARK_DELIVERED, Status.READ),
    (AttemptKind.MARK_READ, Status.READ),
    (AttemptKind.UNREAD, Status.READ),
]


@pytest.mark.parametrize(("kind", "status"), MARKING)
def test_where_all_is_marked_already_marking_nothing_proves_nothing(
    kind: AttemptKind, status: Status
) -> None:
    run, chat = talk()
    run.poll(4.5)  # it was not yet
    run.poll(5)
    run.observe(run.messages[0], 5, status=status, change=ObservedChange.CHANGED)
    run.attempt(OUTSIDER, chat, 3.0, kind, outcome=OK, got=0)
    run.attempt(OUTSIDER, chat, LATER, kind, outcome=OK, got=0)
    found = denied(run)
    assert (found.checked, found.facts["nothing_to_be_had"]) == (1, 1)


def test_what_is_delivered_can_still_be_read() -> None:
    run, chat = talk()
    run.poll(5)
    run.observe(run.messages[0], 5, status=Status.DELIVERED, change=ObservedChange.CHANGED)
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.MARK_READ, outcome=OK, got=0)
    assert denied(run).checked == 1


@pytest.mark.parametrize(("others", "checked"), [(False, 0), (True, 1)])
def test_nobody_marks_their_own(others: bool, checked: int) -> None:
    """With an altered token somebody acts as another participant: of whom the messages are decides."""
    run, chat = talk()
    if others:
        answer = run.send(1, chat, at=2.0, seq=2)
        run.store(answer)
        run.deliver(answer)
    run.attempt(1, chat, LATER, AttemptKind.MARK_READ, guise=Guise.ALTERED_TOKEN, outcome=OK, got=0)
    assert denied(run).checked == checked


def test_it_is_told_as_whom_nobody_tried() -> None:
    run, chat = talk()
    for guise in (Guise.OUTSIDER, Guise.OUTSIDER, Guise.EXPIRED_TOKEN):
        run.attempt(OUTSIDER, chat, LATER, AttemptKind.READ, guise=guise)
    found = denied(run)
    assert (found.outcome, found.facts["tried_outsider"], found.facts["tried_expired_token"]) == (
        Verdict.PASS,
        2,
        1,
    )
    assert "with no more than the anon key" in (found.reason or "")
    assert "Nobody tried to ask for the newest seq of a chat, or to send into a chat" in (found.reason or "")
    assert "expired" not in (found.reason or "")


def test_messages_from_before_the_run_are_something_too() -> None:
    run, _ = talk()
    old = run.chat(0, 1, baseline=7)
    run.attempt(OUTSIDER, old, 0.5, AttemptKind.READ, outcome=OK, got=0)
    assert denied(run).checked == 1


def test_a_silent_subscription_proves_something_only_if_somebody_spoke() -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.SUBSCRIBE, outcome=OK, got=0, took=3.0)
    found = denied(run)
    assert (found.outcome, found.checked) == (Verdict.INCONCLUSIVE, 0)
    assert "Nothing was to be had wherever somebody tried" in (found.reason or "")

    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.SUBSCRIBE, outcome=OK, got=0, took=3.0)
    again = run.send(0, chat, at=LATER + 1, seq=2)
    run.store(again)
    run.deliver(again)
    assert denied(run).checked == 1


@pytest.mark.parametrize(("at", "checked"), [(LATER + 2.3, 1), (LATER + 2.8, 0)])
def test_what_was_said_shortly_before_a_subscription_ended_need_not_have_come(
    at: float, checked: int
) -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.SUBSCRIBE, outcome=OK, got=0, took=3.0)
    again = run.send(0, chat, at=at, seq=2)
    run.store(again)
    run.deliver(again)
    assert denied(run).checked == checked


def test_what_somebody_had_said_on_another_machine_was_there_to_be_read() -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.READ, outcome=OK, got=0)
    run.store(run.send(1, chat, at=LATER + 2, seq=2))
    run.finish(20.0)
    evidence = on_two_machines(run, (1, OUTSIDER), error_s=0.001)
    (found,) = (one for one in audit(evidence, 5).criteria if one.id == "access.denied")
    assert found.checked == 1


def test_an_answer_that_says_nothing_is_counted_apart() -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.READ, outcome=Outcome.INFO)
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.SEND, outcome=Outcome.INFO)
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.READ, outcome=Outcome.FAIL, status_code=0)  # unreachable
    found = denied(run)
    assert (found.checked, found.facts["unclear"]) == (0, 3)
    assert found.outcome is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("keyed", [True, False])
def test_a_message_that_is_stored_was_let_in_whatever_the_answer(outcome: Outcome, keyed: bool) -> None:
    run, chat = talk()
    intruding = run.send(OUTSIDER, chat, at=LATER)
    run.rows["sends"].pop()  # it is nobody's message
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.SEND, outcome=outcome, message=intruding)
    run.poll(LATER + 1)
    run.observe(intruding, LATER + 1, seq=2, keyed=keyed)
    found = denied(run)
    assert (found.observed, found.checked) == (1, 1)
    assert found.examples[0].message_id == str(intruding.id)
    assert found.examples[0].seq == 2


def test_a_message_that_was_taken_is_let_in_though_it_is_not_stored() -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.SEND, outcome=OK, message=run.messages[0], text="x")
    assert denied(run).observed == 1


def test_ok_without_a_message_is_a_refusal_as_good_as_another() -> None:
    run, chat = talk()
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.SEND, outcome=OK)
    found = denied(run)
    assert (found.observed, found.checked) == (0, 1)


@pytest.mark.parametrize(
    ("way", "who", "stored_as", "faults"),
    [
        (Way.REST, 1, 0, 1),
        (Way.REST, 1, 1, 0),
        (Way.APP, 1, 0, 1),
        (Way.APP, 1, 1, 0),
        (Way.APP, OUTSIDER, 0, 1),
        (Way.APP, OUTSIDER, OUTSIDER, 1),
    ],
)
def test_in_another_s_name_counts_under_which_name_it_is_stored(
    way: Way, who: int, stored_as: int, faults: int
) -> None:
    """In one's own chat, whoever stores it under the real sender's name is right; and nobody else minds that it is there."""
    run, chat = talk()
    forge(run, chat, who, way)
    run.poll(LATER + 1)
    forged = run.messages[-1]
    run.observe(forged, LATER + 1, seq=2, sender=stored_as, status=Status.SENT)
    if who != OUTSIDER:
        for listener in (0, 1):
            run.event(forged, listener, at=LATER + 0.5, seq=2)
    found = denied(run)
    assert (found.observed, found.checked) == (faults, 1)


def forge(run: History, chat: int, who: int, way: Way = Way.APP) -> None:
    """Somebody sends in another's name, and is told that it is stored."""
    forged = run.send(who, chat, at=LATER)
    run.rows["sends"].pop()
    run.attempt(
        who, chat, LATER, AttemptKind.SEND, guise=Guise.ANOTHER_PERSON, way=way, outcome=OK, message=forged
    )


def test_under_whose_name_a_message_is_stored_nobody_knows_who_has_not_seen_it() -> None:
    run, chat = talk()
    forge(run, chat, 1)
    found = denied(run)
    assert (found.outcome, found.checked, found.facts["unclear"]) == (Verdict.INCONCLUSIVE, 0, 1)


def test_too_many_requests_is_no_refusal() -> None:
    run, chat = talk()
    for _ in range(3):
        run.attempt(OUTSIDER, chat, LATER, AttemptKind.READ, status_code=429)
    run.attempt(OUTSIDER, chat, LATER, AttemptKind.READ)
    found = denied(run)
    assert (found.outcome, found.checked, found.facts["unclear"]) == (Verdict.INCONCLUSIVE, 1, 3)
    assert "3 of 4 attempts got no answer that says anything" in (found.reason or "")


@pytest.mark.parametrize(("silent", "outcome"), [(2, Verdict.PASS), (3, Verdict.INCONCLUSIVE)])
def test_a_pass_rests_on_more_answers_than_silences(silent: int, outcome: Verdict) -> None:
    run, chat = talk()
    for _ in range(silent):
        run.attempt(OUTSIDER, chat, LATER, AttemptKind.READ, outcome=Outcome.INFO)
    for _ in range(2):
        run.attempt(OUTSIDER, chat, LATER, AttemptKind.READ)
    for _ in range(5):  # where nothing was to be had nobody was in trouble
        run.attempt(OUTSIDER, chat, 0.5, AttemptKind.READ, outcome=OK, got=0)
    assert denied(run).outcome is outcome


@pytest.mark.parametrize(
    ("guise", "way", "status", "checked"),
    [
        (Guise.NO_TOKEN, Way.APP, 302, 1),
        (Guise.EXPIRED_TOKEN, Way.APP, 307, 1),
        (Guise.OUTSIDER, Way.APP, 302, 0),
        (Guise.NO_TOKEN, Way.REST, 302, 0),
        (Guise.NO_TOKEN, Way.APP, 304, 0),
    ],
)
def test_whom_the_app_sends_to_its_sign_in_page_it_has_refused(
    guise: Guise, way: Way, status: int, checked: int
) -> None:
    run, chat = talk()
    tried = (OUTSIDER, chat, LATER, AttemptKind.READ)
    run.attempt(*tried, guise=guise, way=way, outcome=Outcome.INFO, status_code=status)
    found = denied(run)
    assert (found.observed, found.checked) == (0, checked)
    run.attempt(*tried, guise=guise, way=way, outcome=Outcome.INFO, status_code=status, got=2)
    assert denied(run).observed == 1


def test_it_is_told_of_whom_and_of_what_nothing_is_known() -> None:
    run, chat = talk()
    for kind in AttemptKind:
        for guise in Guise:
            silent = guise is Guise.EXPIRED_TOKEN or (kind, guise) == (AttemptKind.READ, Guise.OUTSIDER)
            nothing = kind is AttemptKind.SUBSCRIBE
            outcome = Outcome.INFO if silent else OK if nothing else Outcome.FAIL
            run.attempt(OUTSIDER, chat, LATER, kind, guise=guise, outcome=outcome, got=0)
    found = denied(run)
    assert found.outcome is Verdict.PASS
    assert found.reason == (
        "Nothing is known about somebody with an expired token, nor about attempts to listen to a chat, nor about "
        "somebody who is not in it who tries to read the messages of a chat: the server did not answer, or there was "
        "nothing to be had."
    )


def test_of_many_combinations_of_which_nothing_is_known_three_are_named() -> None:
    run, chat = talk()
    for kind in AttemptKind:
        for guise in Guise:
            silent = kind is AttemptKind.READ and guise in list(Guise)[:5]
            outcome = Outcome.INFO if silent else Outcome.FAIL
            run.attempt(OUTSIDER, chat, LATER, kind, guise=guise, outcome=outcome)
    reason = denied(run).reason or ""
    assert reason.count("who tries to read") == 3
    assert ", nor about 2 more such combinations:" in reason


def test_where_nobody_tried_nobody_knows() -> None:
    run, _ = talk()
    found = denied(run)
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "CHATSOAK_OUTSIDER_SHARE" in (found.reason or "")
