"""Promise: nobody is online twice, everybody can be played, and busy chats are chosen as often as their weight says."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.record import Chat, Person
from analysis.settings import Settings
from analysis.target.crowd import chats_for
from locustfiles.pool import Pool

SETTINGS = Settings(
    _env_file=None,
    next_public_supabase_url="http://127.0.0.1",
    next_public_supabase_anon_key="a",
    supabase_service_role_key="b",
    database_url="postgresql://127.0.0.1/x",
)


def people(count: int) -> list[Person]:
    return [Person(f"id-{number}", f"{number}@example.com") for number in range(count)]


def everybody(pool: Pool) -> list[Person]:
    taken = []
    while (person := pool.take()) is not None:
        taken.append(person)
    return taken


@given(count=st.integers(2, 100), shares=st.integers(1, 8))
def test_the_processes_share_out_everybody_once(count: int, shares: int) -> None:
    crowd = people(count)
    pools = [Pool(crowd, [], share, shares) for share in range(shares)]
    sizes = [len(pool.people) for pool in pools]
    taken = [person for pool in pools for person in everybody(pool)]
    assert Counter(taken) == Counter(crowd)
    assert sum(sizes) == count
    assert max(sizes) - min(sizes) <= 1


def test_who_leaves_can_be_taken_again() -> None:
    pool = Pool(people(2), [])
    first, second = everybody(pool)
    assert pool.take() is None
    pool.give_back(second)
    assert pool.take() == second
    assert pool.take() is None
    pool.give_back(first)
    assert pool.take() == first


@given(count=st.integers(2, 60), shares=st.integers(1, 3))
def test_a_circle_is_every_chat_somebody_is_in_and_no_other(count: int, shares: int) -> None:
    """Over crowds as they are seeded: direct chats, and groups of 3 to 20."""
    crowd = people(count)
    chats = chats_for(crowd, SETTINGS)
    for share in range(shares):
        pool = Pool(crowd, iter(chats), share, shares)
        for person in everybody(pool):
            circle = pool.circle_of(person)
            assert {chat.id for chat in circle.chats} == {
                chat.id for chat in chats if person.id in chat.participants
            }
            assert circle.chats, "somebody with nobody to write to"
            assert circle.pick(Random(1)) in circle.chats


def test_somebody_elses_person_is_not_in_this_process() -> None:
    crowd = people(4)
    with pytest.raises(KeyError):
        Pool(crowd, chats_for(crowd, SETTINGS), 0, 2).circle_of(crowd[1])


def test_chats_are_chosen_by_weight() -> None:
    person = people(1)[0]
    weights = {"quiet": 1.0, "busy": 8.0, "other": 1.0}
    chats = [Chat(name, "group", (person.id,), weight) for name, weight in weights.items()]
    circle = Pool([person], chats).circle_of(person)
    rng = Random(1)
    picked = Counter(circle.pick(rng).id for _ in range(10_000))
    for name, weight in weights.items():
        assert picked[name] / 10_000 == pytest.approx(weight / 10, abs=0.02)
