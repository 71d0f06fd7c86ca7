"""Promise: every finding is counted by what it says and placed in time, though few are made; no kind hides another."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.criteria import Finding, Found, Verdict
from analysis.faults import MAX_EXAMPLES, MAX_KINDS, UNKNOWN, Faults, from_faults, kinds_of, pattern


def many(kinds: list[str], counts: list[int], made: list[int] | None = None) -> Faults:
    """So many findings of each kind, one kind after the other, a millisecond apart, each kind in two chats."""
    kind = np.repeat(np.arange(len(kinds)), counts)
    size = len(kind)

    def tell(place: int) -> Iterator[Finding]:
        if made is not None:
            made.append(place)
        chat = f"chat {place % 2}"
        yield Finding(f"{kinds[kind[place]]} {place}", chat_id=chat, seq=place, at_ns=place * 10**6)

    return Faults(np.arange(size) * 10**6, np.arange(size) % 2, kind, tell)


def test_a_kind_that_comes_after_thousands_of_another_is_counted_and_named() -> None:
    examples, found = many(["missing", "late by"], [4500, 500]).told()
    assert (found.count, found.kinds) == (5000, 2)
    assert [(kind.why, kind.count, kind.chats, kind.in_worst_chat) for kind in found.largest] == [
        ("missing …", 4500, 2, 2250),
        ("late by …", 500, 2, 250),
    ]
    assert len(examples) == MAX_EXAMPLES
    assert Counter(pattern(one.why) for one in examples) == {"missing …": MAX_EXAMPLES - 3, "late by …": 3}
    assert [one.seq for one in examples] == sorted(one.seq or 0 for one in examples)


def test_all_times_are_kept_though_few_findings_are_made() -> None:
    made: list[int] = []
    _, found = many(["missing"], [2_000_000], made).told()
    assert len(found.at_ns) == 2_000_000
    assert found.at_ns[-1] == 1_999_999 * 10**6
    assert len(made) < 2 * MAX_EXAMPLES


def test_findings_at_one_time_are_counted_and_those_without_a_time_are_not_placed() -> None:
    findings = [Finding("a", at_ns=5), Finding("a"), Finding("a", at_ns=5), Finding("b", at_ns=3)]
    _, found = Faults.of(findings).told()
    assert found.count == 4
    assert (found.at_ns.tolist(), found.at_count.tolist()) == ([3, 5], [1, 2])


def test_a_place_that_stands_for_a_billion_findings_takes_no_more_room_than_another() -> None:
    def tell(place: int) -> Iterator[Finding]:
        return (Finding(f"no message has seq {seq}", seq=seq) for seq in range(10**9))

    no_one = np.full(2, UNKNOWN)
    faults = Faults(np.array([7, 9]), no_one, np.zeros(2, np.int64), tell, np.array([10**9, 3]))
    examples, found = faults.told()
    assert found.count == 10**9 + 3
    assert found.largest[0].count == 10**9 + 3
    assert found.at_count.tolist() == [10**9, 3]
    assert len(examples) == MAX_EXAMPLES
    assert examples[-1].seq == 0  # of the second place, which the first does not hide


def test_ever_so_many_kinds_are_counted_and_the_largest_told() -> None:
    words = ["".join(chr(97 + int(digit)) for digit in str(number)) for number in range(3000)]
    examples, found = many(words, [2, *([1] * 2998), 3]).told()
    assert (found.count, found.kinds, len(found.largest)) == (3003, 3000, MAX_KINDS)
    assert [kind.count for kind in found.largest[:3]] == [3, 2, 1]
    assert len(examples) == MAX_EXAMPLES


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["lost", "late by 3 ms", "late by 4 ms"]), st.sampled_from([None, "a", "b"])
        )
    )
)
def test_what_is_told_of_few_findings_is_true(drawn: list[tuple[str, str | None]]) -> None:
    findings = [Finding(why, chat_id=chat) for why, chat in drawn]
    examples, found = Faults.of(findings).told()
    assert list(examples) == findings
    assert {kind.why: kind.count for kind in found.largest} == Counter(pattern(why) for why, _ in drawn)
    for kind in found.largest:
        chats = Counter(chat for why, chat in drawn if chat and pattern(why) == kind.why)
        assert (kind.chats, kind.in_worst_chat) == (len(chats), max(chats.values(), default=0))
        assert kind.worst_chat is None or chats[kind.worst_chat] == kind.in_worst_chat


def test_ids_numbers_and_texts_of_the_run_make_no_difference() -> None:
    one = 'Message 5b1f0f0a-52d7-4a3c-9d4e-2f7c4a0d8e11 (seq 7) came 1,234.5 ms late with "hello".'
    other = 'Message 0f5f2a3e-7d0c-4b0e-8a83-0b8d3a4f6c21 (seq 88) came 3 ms late with "good \\"bye\\"".'
    assert pattern(one) == pattern(other) == "Message … (seq …) came … ms late with …."


def test_texts_make_no_difference_whatever_quotes_they_stand_in() -> None:
    said = {
        pattern(f"The text {sent!r} is stored as {stored!r}.")
        for sent, stored in (("hello", "hallo"), ("how are", "it's"), ('"', "'"), ("'\"", "\\"), ("", " "))
    }
    assert said == {"The text … is stored as …."}
    assert pattern(f"The text {'x' * 60!r}… (1,234 characters) is stored as 'y'.") in said
    assert pattern("Its status is `seen`.") == pattern("Its status is `bogus`.") == "Its status is …."


def test_an_apostrophe_is_no_quote_and_a_status_code_no_mere_number() -> None:
    kept = "Somebody in another participant's name came through Supabase's REST interface, the messages' way."
    assert pattern(kept) == kept
    assert pattern("refused (HTTP 403): 12 of 13") == "refused (HTTP 403): … of …"


def test_lists_of_any_length_are_alike() -> None:
    assert pattern("Given to 1, 2 and 3.") == pattern("Given to 4, 5, 6, 7 and 8.")
    assert kinds_of(["rows are 1", "rows are 1, 2", "no row"]).tolist() == [0, 0, 1]


def test_of_no_faults_nothing_is_known() -> None:
    assert Faults.of([]).told() == ((), Found())


DOUBT = "It could not see everything."


@pytest.mark.parametrize(
    ("checked", "findings", "doubt", "outcome", "reason"),
    [
        (5, 1, DOUBT, Verdict.FAIL, DOUBT),
        (5, 1, None, Verdict.FAIL, None),
        (5, MAX_EXAMPLES + 1, None, Verdict.FAIL, None),
        (0, 1, None, Verdict.FAIL, None),
        (5, 0, DOUBT, Verdict.INCONCLUSIVE, DOUBT),
        (0, 0, DOUBT, Verdict.INCONCLUSIVE, DOUBT),
        (0, 0, None, Verdict.INCONCLUSIVE, "There was nothing to check."),
        (5, 0, None, Verdict.PASS, None),
    ],
)
def test_what_was_found_comes_before_what_could_not_be_seen(
    checked: int, findings: int, doubt: str | None, outcome: Verdict, reason: str | None
) -> None:
    faults = Faults.of([Finding("wrong")] * findings)
    made = from_faults("messages.lost", "Lost", "messages", checked, faults, inconclusive=doubt)
    assert (made.outcome, made.reason, made.observed) == (outcome, reason, findings)
