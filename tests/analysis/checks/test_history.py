"""Promise: what pages of a chat's history show is there, is of this chat, stands once and in order, and nothing is lacking."""

import pytest

from analysis.checks import history, phantom
from analysis.checks.account import account_for
from analysis.checks.subscriptions import subscriptions
from analysis.criteria import Verdict
from analysis.record.codes import EventType, ObservedChange, Outcome, PagePurpose, Status
from analysis.record.tables import PAGES, SENDS
from tests.analysis.checks.oracles.hello import account, hello, said
from tests.analysis.checks.oracles.story import Event, Page, Process, Story
from tests.analysis.checks.pages import LATER, READER, SENDER, STRANGER, fleeting, judged, named, other, talk
from tests.analysis.histories import Message


@pytest.mark.parametrize("last_look", [True, False])
def test_a_message_that_was_never_stored_is_a_finding(last_look: bool) -> None:
    run, chat, said = talk()
    ghost = other(chat, 99)
    run.page(READER, chat, LATER, [ghost, *said])
    found = judged(run) if last_look else history.pages(account_for(run.evidence()))
    why = "It stood on a page of history, and no such message was ever stored."
    assert named(found) == [(99, str(ghost.id), why)] * last_look


def test_another_message_in_the_place_of_one_is_two_findings() -> None:
    run, chat, said = talk()
    ghost = other(chat, 2)
    run.page(READER, chat, LATER, [*said[:2], ghost, said[3]])
    found = judged(run)
    assert [(seq, message) for seq, message, _ in named(found)] == [(2, str(ghost.id)), (2, str(said[2].id))]
    assert "left it out" in found.examples[1].why


@pytest.mark.parametrize("told", ["not at all", "by a look", "by an answer", "by an event"])
def test_a_seq_that_is_not_its_own_is_a_finding(told: str) -> None:
    run, chat, said = talk()
    newest = said[0]
    if told == "by a look":
        run.poll(5)
        run.observe(newest, 5, seq=7, change=ObservedChange.CHANGED)
        run.poll(6)
        run.observe(newest, 6, change=ObservedChange.CHANGED)
    elif told == "by an answer":
        run.repeat(newest, 5.0, answered_seq=7)
    elif told == "by an event":
        run.event(newest, READER, 5.0, type=EventType.UPDATE, status=Status.SENT, seq=7)
    as_shown = Message(SENDER, chat, newest.text, newest.client_id, newest.id, 7)
    run.page(READER, chat, LATER, [as_shown, *said[1:]])
    found = judged(run)
    assert [message for _, message, _ in named(found)] == [str(newest.id)] * (told == "not at all")
    assert all("another seq" in why for *_, why in named(found))


@pytest.mark.parametrize("was_stored", [False, True])
def test_another_sender_than_its_own_is_a_finding(was_stored: bool) -> None:
    run, chat, said = talk()
    newest = said[0]
    if was_stored:
        run.poll(5)
        run.observe(newest, 5, sender=READER, change=ObservedChange.CHANGED)
        run.poll(6)
        run.observe(newest, 6, change=ObservedChange.CHANGED)
    as_shown = Message(READER, chat, newest.text, newest.client_id, newest.id, newest.seq)
    run.page(READER, chat, LATER, [as_shown, *said[1:]])
    why = "It stood on a page of history with another sender than is stored."
    assert named(judged(run)) == [(newest.seq, str(newest.id), why)] * (not was_stored)


@pytest.mark.parametrize("kind", EventType)
def test_a_message_that_an_event_told_of_is_not_said_to_be_invented(kind: EventType) -> None:
    run, chat, said = talk()
    seen = fleeting(run, chat)
    run.event(seen, SENDER, 2.0, type=kind)
    run.page(READER, chat, LATER, [seen, *said], senders=False)
    assert judged(run).outcome is Verdict.PASS


def test_the_deletion_of_a_message_tells_that_it_was_there_though_it_names_no_chat() -> None:
    run, chat, said = talk()
    seen = fleeting(run, chat, SENDER)
    run.event(seen, SENDER, 2.0, type=EventType.DELETE)
    (person, socket, _, *rest) = run.rows["events"].pop()
    run.rows["events"].append((person, socket, None, *rest))
    run.page(READER, chat, LATER, [seen, *said])
    assert judged(run).outcome is Verdict.PASS


def test_an_event_in_another_chat_tells_nothing_of_this_one() -> None:
    run, chat, said = talk()
    seen = fleeting(run, chat, SENDER)
    run.event(seen, SENDER, 2.0, chat=run.chat(SENDER, READER))
    run.page(READER, chat, LATER, [seen, *said])
    assert judged(run).observed == 1


@pytest.mark.parametrize("sender", [SENDER, STRANGER, None])
def test_what_a_stranger_may_have_deleted_is_counted_and_blamed_on_nobody(sender: int | None) -> None:
    run, chat, said = talk()
    run.page(READER, chat, LATER, [fleeting(run, chat, sender or SENDER), *said], senders=sender is not None)
    found = judged(run)
    if sender == STRANGER:
        assert (found.outcome, found.facts) == (Verdict.INCONCLUSIVE, {"pages": 1, "texts": 0, "unseen": 1})
        assert found.reason
        assert found.reason.startswith(
            "1 message on pages no look at the database saw, of people who are no users"
        )
    else:
        assert (found.outcome, found.observed) == (Verdict.FAIL, 1)


@pytest.mark.parametrize("senders", [True, False])
@pytest.mark.parametrize(
    ("outcome", "stored"), [(Outcome.INFO, False), (Outcome.INFO, True), (Outcome.FAIL, False)]
)
def test_what_may_be_of_a_send_without_an_answer_is_blamed_on_nobody(
    outcome: Outcome, stored: bool, senders: bool
) -> None:
    run, chat, said = talk()
    unanswered = run.send(SENDER, chat, at=2.0, outcome=outcome)
    if stored:
        run.store(unanswered, seq=6)
    run.page(READER, chat, LATER, [fleeting(run, chat, SENDER), *said], senders=senders)
    found = judged(run)
    assert found.outcome is (Verdict.INCONCLUSIVE if outcome is Outcome.INFO and not stored else Verdict.FAIL)


@pytest.mark.parametrize("purpose", PagePurpose)
def test_a_message_that_a_look_had_seen_belongs_on_a_page_whatever_its_answer(purpose: PagePurpose) -> None:
    run, chat, said = talk()
    recovered = run.send(SENDER, chat, at=2.0, outcome=Outcome.INFO)
    run.store(recovered, seq=5, at=5.5)
    run.page(READER, chat, LATER, said, purpose=purpose)
    run.page(READER, chat, 5.0, said, purpose=purpose, walk=1)  # nobody knows that it was there by then
    (finding,) = judged(run).examples
    assert (finding.message_id, finding.recipient_id) == (str(recovered.id), str(run.person_id(READER)))
    assert "left it out" in finding.why


@pytest.mark.parametrize("moved", [{"seq": 9}, {"chat": 1}, {"deleted": True}])
def test_what_was_elsewhere_for_a_while_is_expected_on_no_page(moved: dict[str, int]) -> None:
    run, chat, said = talk()
    run.chat(SENDER, READER)
    run.poll(4)
    run.observe(said[0], 4, change=ObservedChange.CHANGED, **moved)  # type: ignore[arg-type]
    run.poll(9)
    run.observe(said[0], 9, change=ObservedChange.CHANGED)
    run.page(READER, chat, 6.0, said[1:])
    assert judged(run).observed == 0


def test_a_message_that_was_acknowledged_and_lost_may_have_been_on_a_page() -> None:
    run, chat, said = talk()
    lost = run.send(SENDER, chat, at=2.0, seq=5)
    run.page(READER, chat, LATER, [lost, *said])
    assert judged(run).observed == 0


@pytest.mark.parametrize(("seq", "faults"), [(2, 0), (3, 0), (None, 0), (4, 1)])
def test_what_may_be_from_before_the_run_is_not_judged(seq: int | None, faults: int) -> None:
    run, chat, _ = talk(messages=0, baseline=3)
    run.page(READER, chat, LATER, [other(chat, seq)])
    assert judged(run).observed == faults


def test_nothing_is_from_before_the_run_in_a_chat_that_was_empty() -> None:
    run, chat, _ = talk(messages=0)
    run.page(READER, chat, LATER, [other(chat, None)])
    assert judged(run).observed == 1


def test_of_a_chat_without_a_baseline_anything_may_be_old() -> None:
    run, chat, _ = talk(messages=0)
    run.rows["baseline"].clear()
    run.page(READER, chat, LATER, [other(chat, 5), other(chat, None)])
    assert judged(run).observed == 0


def test_answers_without_seqs_are_judged_by_their_ids() -> None:
    run, chat, said = talk()
    for message in said:
        message.seq = None
    run.page(READER, chat, LATER, [said[0], said[2], said[1], said[3]])
    run.page(READER, chat, LATER + 1, [said[0], said[1], said[3]], walk=1)
    run.page(READER, chat, LATER + 2, said, walk=2)
    found = judged(run)
    assert [(seq, message) for seq, message, _ in named(found)] == [
        (3, str(said[1].id)),
        (2, str(said[2].id)),
    ]
    assert found.checked == 4 + 3 + 1 + 4


@pytest.mark.parametrize(("seqs", "faults"), [([4, 3, 2, 1], 0), ([4, 2, 1], 1), ([9, 4, 3, 2, 1], 1)])
def test_answers_without_ids_are_judged_by_their_seqs(seqs: list[int], faults: int) -> None:
    story = spoken(4, page(shown=[seq - 1 if seq < 9 else 9 for seq in seqs], ids=False))
    story.pages[0].other_seqs = {place: seq for place, seq in enumerate(seqs) if seq == 9}
    assert history.pages(account(story)).observed == faults


def test_where_no_answer_tells_an_id_a_seq_that_nobody_told_is_invented() -> None:
    run, chat, said = talk()
    for table, columns, name in (("sends", SENDS, "message_id"), ("pages", PAGES, "message_ids")):
        if table == "pages":
            run.page(READER, chat, LATER, [other(chat, 99), *said])
        place = columns.get_field_index(name)
        run.rows[table] = [(*row[:place], None, *row[place + 1 :]) for row in run.rows[table]]
    assert [seq for seq, *_ in named(judged(run))] == [99]


def test_answers_with_neither_say_nothing() -> None:
    found = history.pages(account(spoken(4, page(shown=[3, 2], ids=False, seqs=False))))
    assert (found.checked, found.outcome) == (0, Verdict.INCONCLUSIVE)


def test_a_walk_goes_in_one_direction() -> None:
    run, chat, said = talk(8)
    run.page(READER, chat, LATER, said[:4], limit=4)
    run.page(READER, chat, LATER + 1, said[4:][::-1], limit=4, before_seq=5)
    run.page(READER, chat, LATER + 2, said[::-1], walk=1)  # another one, the other way round
    found = judged(run)
    assert [seq for seq, *_ in named(found)] == [2, 3, 4]
    assert all("out of order" in why for *_, why in named(found))


@pytest.mark.parametrize("walk", ["of another person", "of another chat"])
def test_walks_of_others_have_directions_of_their_own(walk: str) -> None:
    run, chat, said = talk()
    run.page(READER, chat, LATER, said)
    if walk == "of another person":
        run.page(SENDER, chat, LATER + 1, said[::-1])
    else:
        elsewhere = run.chat(SENDER, READER)
        there = [run.send(SENDER, elsewhere, at=2.0 + number / 10, seq=number + 1) for number in range(2)]
        run.poll(4)
        for message in there:
            run.observe(message, 4)
        run.page(READER, elsewhere, LATER + 1, there)
    assert judged(run).observed == 0


def test_a_page_that_holds_fewer_than_were_asked_for_need_not_be_the_last() -> None:
    run, chat, said = talk(8)
    run.page(READER, chat, LATER, said[:4])
    assert judged(run).observed == 0


def test_what_capped_pages_together_lack_is_left_out() -> None:
    run, chat, said = talk(8)
    run.page(READER, chat, LATER, said[:3])
    run.page(READER, chat, LATER + 1, said[4:7], before_seq=6)
    run.page(READER, chat, LATER + 2, [], before_seq=2)  # an empty one says that there is nothing below
    found = judged(run)
    assert [seq for seq, *_ in named(found)] == [5, 1]
    assert found.checked == 8


def test_what_stands_there_again_is_not_out_of_order_as_well() -> None:
    run, chat, said = talk()
    run.page(READER, chat, LATER, [said[0], said[1], said[0], *said[2:]])
    ((seq, _, why),) = named(judged(run))
    assert (seq, "twice" in why) == (4, True)


def test_the_bound_itself_is_not_below_it() -> None:
    run, chat, said = talk()
    run.page(READER, chat, LATER, said[1:], before_seq=3)
    ((seq, _, why),) = named(judged(run))
    assert (seq, "3" in why) == (3, True)


def test_what_shows_another_seq_is_held_against_no_bound_and_no_order() -> None:
    run, chat, said = talk()
    as_shown = Message(SENDER, chat, said[1].text, said[1].client_id, said[1].id, 9)
    run.page(READER, chat, LATER, [said[0], as_shown, *said[2:]], before_seq=5)
    ((seq, _, why),) = named(judged(run))
    assert (seq, "another seq" in why) == (3, True)


@pytest.mark.parametrize("deleted", [True, False])
def test_what_was_deleted_may_be_on_a_page_or_not(deleted: bool) -> None:
    run, chat, said = talk()
    run.poll(5)
    change = ObservedChange.CHANGED if deleted else ObservedChange.GONE
    run.observe(said[1], 5, change=change, deleted=deleted)
    run.page(READER, chat, LATER, [said[0], *said[2:]])
    run.page(READER, chat, LATER + 1, said, walk=1)
    assert judged(run).observed == 0


def test_findings_are_counted_by_the_chat_of_their_message() -> None:
    run, chat, said = talk()
    elsewhere = [run.send(SENDER, run.chat(SENDER, READER), at=2.0, seq=1) for _ in range(2)]
    run.poll(4)
    for message in elsewhere:
        run.observe(message, 4)
    run.page(READER, chat, LATER, [*said, *elsewhere, other(chat, 99)])
    found = judged(run).found
    assert sorted((one.count, one.chats) for one in found.largest) == [(1, 1), (2, 2)]
    assert str(run.chat_id(chat)) in {one.worst_chat for one in found.largest}


def test_what_was_not_there_yet_was_no_expectation() -> None:
    run, chat, _ = talk()
    run.page(READER, chat, 0.5, [])
    found = judged(run)
    assert (found.outcome, found.checked, found.facts) == (Verdict.INCONCLUSIVE, 0, {"pages": 1, "texts": 0})


def page(shown: list[int], *, left: float = 10, before: int | None = None, **more: bool) -> Page:
    return Page(READER, 0, PagePurpose.BROWSE, before, 50, left, Outcome.OK, shown, **more)


def spoken(messages: int, *pages: Page) -> Story:
    """Messages acknowledged at 2, and these pages."""
    return hello(messages=[said(number + 1) for number in range(messages)], pages=[*pages])


@pytest.mark.parametrize(("measured", "faults"), [({"there": True}, 27), ({"there": False}, 0), ({}, 0)])
def test_what_a_page_on_another_machine_lacks_is_found_as_far_as_clocks_tell(
    measured: dict[str, bool], faults: int
) -> None:
    story = spoken(30, page([29, 28, 0]))
    story.processes, story.process_of = [Process("here"), Process("there")], [0, 1]
    story.ahead, story.measured = {"there": -700.0}, measured
    assert history.pages(account(story)).observed == faults
    story.pages[0].left = 2.01  # it may have been asked for before the answers came
    assert history.pages(account(story)).observed == 0


@pytest.mark.parametrize(("process", "left", "faults"), [
    (Process(closed=False), 39.5, 0),  # answered half a second after the last look
    (Process(closed=False), 38.5, 1),
    (Process(lost=("sends",)), 39.5, 0),
    (Process(short=("sends",)), 39.5, 0),
    (Process(lost=("marks",)), 39.5, 1),
    (Process(), 39.5, 1),
    (Process("there", closed=False), 38.5, 0),  # nobody knows whether it was before it
])  # fmt: skip
def test_what_came_after_the_last_look_may_be_of_a_process_that_was_killed(
    process: Process, left: float, faults: int
) -> None:
    story = spoken(1, page([99, 0], left=left))
    story.pages[0].other_seqs = {0: 2}
    story.processes = [process]
    found = history.pages(account(story))
    assert (found.observed, found.facts.get("unseen", 0)) == (faults, 1 - faults)
    story.pages, story.events = [], [Event(READER, READER, 99, 0, left + 1, seq=2)]
    judged = account(story)
    shown = phantom.phantom(judged, subscriptions(judged))
    assert (shown.observed, shown.facts["unseen_of_others"]) == (faults, 1 - faults)
    assert shown.outcome is (Verdict.FAIL if faults else Verdict.INCONCLUSIVE)


@pytest.mark.parametrize("host", ["here", "there"])
@pytest.mark.parametrize(("left", "faults"), [(2, 0), (2.001, 1)])
def test_on_one_clock_a_millisecond_is_enough(left: float, faults: int, host: str) -> None:
    """Whether or not it was ever held against the monitor's."""
    story = spoken(2, page([1], left=left, before=None), page([], left=left))
    story.processes, story.ahead = [Process(host)], {"there": -700.0}
    assert history.pages(account(story)).observed == 2 * faults
