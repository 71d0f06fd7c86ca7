"""Promise: the first few of each criterion are named at once, and however many there are, all are counted and little is kept."""

from typing import Any

from locustfiles.clients.notices import COUNTED_EVERY_S, NAMED, Notice, Notices, is_id

MANY = 100_000


def add(notices: Notices, count: int, criterion: str = "realtime.duplicated") -> None:
    for number in range(count):
        notices.add(criterion, lambda number=number: Notice(f"Message {number}.", chat_id="c"))  # type: ignore[misc]


def findings(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["finding"] for one in said]


def test_a_finding_is_handed_on_once_with_what_is_known_of_it() -> None:
    notices = Notices()
    notices.add("access.denied", lambda: Notice("Let.", chat_id="c", seq=3))
    assert findings(notices.take(0)) == [
        {"criterion": "access.denied", "why": "Let.", "chat_id": "c", "seq": 3}
    ]
    assert notices.take(1) == []


def test_a_flood_costs_no_more_than_its_count() -> None:
    notices = Notices()
    add(notices, MANY)
    *named, more, sentence = findings(notices.take(COUNTED_EVERY_S))
    assert [one["why"] for one in named] == [f"Message {number}." for number in range(NAMED)]
    assert more == {"more": {"realtime.duplicated": MANY - NAMED}}
    assert sentence == {
        "why": f"More findings, not named one by one: {MANY - NAMED:,} of realtime.duplicated."
    }


def test_those_that_are_not_made_into_words_cost_no_words() -> None:
    notices = Notices()
    add(notices, NAMED)
    notices.add("realtime.duplicated", lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert len(notices.take(0)) == NAMED + 1


def test_each_criterion_has_its_own_first() -> None:
    notices = Notices()
    add(notices, NAMED + 1)
    add(notices, 1, "history.pages")
    assert [one.get("criterion") for one in findings(notices.take(0))][-2:] == ["history.pages", None]


def test_the_count_is_told_at_once_and_put_into_words_now_and_then_and_at_last() -> None:
    notices = Notices()
    add(notices, NAMED + 2)
    assert any("why" in one and "criterion" not in one for one in findings(notices.take(COUNTED_EVERY_S)))
    add(notices, 3)
    named, more = findings(notices.take(COUNTED_EVERY_S + 1))
    assert named["criterion"] == "realtime.duplicated", "after each sentence one more is named"
    assert more == {"more": {"realtime.duplicated": 2}}
    add(notices, 4)
    *_, sentence = findings(notices.take(COUNTED_EVERY_S + 2, last=True))
    assert "6 of realtime.duplicated" in sentence["why"]
    assert notices.take(3 * COUNTED_EVERY_S) == []


def test_an_id_is_what_the_record_can_hold() -> None:
    assert is_id("00000000-0000-0000-0000-000000000001")
    assert not is_id("42")
    assert not is_id(None)
