"""Findings that say the same stand together, and none is left out."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analysis.report.groups import groups, pattern


def finding(why: str, chat: str | None = None) -> dict[str, Any]:
    return {"why": why, "chat_id": chat, "seq": None, "message_id": None}


def test_ids_numbers_and_texts_of_the_run_make_no_difference() -> None:
    one = 'Message 5b1f0f0a-52d7-4a3c-9d4e-2f7c4a0d8e11 (seq 7) came 1,234.5 ms late with "hello".'
    other = 'Message 0f5f2a3e-7d0c-4b0e-8a83-0b8d3a4f6c21 (seq 88) came 3 ms late with "good \\"bye\\"".'
    assert pattern(one) == pattern(other) == "Message … (seq …) came … ms late with …."


def test_lists_of_any_length_are_alike() -> None:
    assert pattern("Given to 1, 2 and 3.") == pattern("Given to 4, 5, 6, 7 and 8.")


def test_the_largest_group_comes_first_and_names_its_worst_chat() -> None:
    found = groups(
        [finding("late by 1", "a"), finding("lost", "a"), finding("lost", "b"), finding("lost", "b")]
    )
    assert [(group.pattern, len(group.examples), group.chats) for group in found] == [
        ("lost", 3, 2),
        ("late by …", 1, 1),
    ]
    assert found[0].worst_chat == ("b", 2)
    assert found[1].worst_chat is None


@given(st.lists(st.tuples(st.text(max_size=12), st.sampled_from([None, "a", "b"])), max_size=30))
def test_every_finding_is_in_exactly_one_group(drawn: list[tuple[str, str | None]]) -> None:
    examples = [finding(why, chat) for why, chat in drawn]
    together = [example for group in groups(examples) for example in group.examples]
    assert sorted(map(id, together)) == sorted(map(id, examples))
