"""Promise: everybody has somebody to talk to, and the same seed makes the same crowd."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from analysis.record import Chat, Person
from analysis.settings import Settings, load
from analysis.target.crowd import LARGEST_GROUP, SMALLEST_GROUP, chats_for


def settings(**changes: object) -> Settings:
    return load(
        Path("no such file"),
        {
            "next_public_supabase_url": "http://127.0.0.1",
            "next_public_supabase_anon_key": "a",
            "supabase_service_role_key": "b",
            "database_url": "postgresql://127.0.0.1/x",
            **changes,
        },
    )


def people(count: int) -> list[Person]:
    return [Person(f"id-{number}", f"{number}@example.com") for number in range(count)]


@given(
    count=st.integers(2, 120),
    direct_share=st.floats(0, 1),
    per_person=st.floats(0.01, 5),
    busy_share=st.floats(0, 1),
    seed=st.integers(),
)
def test_every_crowd_is_one_that_can_chat(
    count: int, direct_share: float, per_person: float, busy_share: float, seed: int
) -> None:
    crowd = people(count)
    chats = chats_for(
        crowd,
        settings(
            chatsoak_direct_share=direct_share,
            chatsoak_chats_per_person=per_person,
            chatsoak_busy_share=busy_share,
            chatsoak_seed=seed,
        ),
    )
    assert {person for chat in chats for person in chat.participants} == {person.id for person in crowd}
    assert len({chat.id for chat in chats}) == len(chats) >= max(1, round(count * per_person))
    assert sum(chat.weight > 1 for chat in chats) == round(len(chats) * busy_share)
    for chat in chats:
        assert len(set(chat.participants)) == len(chat.participants)
        if chat.type == "direct":
            assert len(chat.participants) == 2
        else:
            assert SMALLEST_GROUP <= len(chat.participants) <= LARGEST_GROUP


def test_the_same_seed_makes_the_same_crowd_with_fresh_chats() -> None:
    def without_ids(chats: list[Chat]) -> list[Chat]:
        return [replace(chat, id="") for chat in chats]

    first, again = chats_for(people(40), settings()), chats_for(people(40), settings())
    other = chats_for(people(40), settings(chatsoak_seed=2))
    assert without_ids(first) == without_ids(again) != without_ids(other)
    assert not {chat.id for chat in first} & {chat.id for chat in again}


def test_the_share_of_direct_chats_is_kept() -> None:
    chats = chats_for(people(2000), settings(chatsoak_direct_share=0.6))
    assert abs(sum(chat.type == "direct" for chat in chats) / len(chats) - 0.6) < 0.05
