"""Promise: a device knows the newest message, and has something unread exactly when somebody else wrote since the look."""

from hypothesis import given
from hypothesis import strategies as st

from locustfiles.life.memory import ChatMemory

STEPS = st.lists(st.one_of(st.tuples(st.integers(1, 50), st.booleans()), st.just("look")))


@given(steps=STEPS)
def test_it_remembers_what_it_was_told_in_any_order(steps: list) -> None:
    memory = ChatMemory()
    known, unseen_of_others = set(), set()
    for step in steps:
        if step == "look":
            assert memory.look() == max(known, default=0)
            unseen_of_others.clear()
            looked_at = memory.theirs
        else:
            seq, own = step
            memory.note(seq, own=own)
            known.add(seq)
            if not own and seq > memory.looked:
                unseen_of_others.add(seq)
        assert memory.seen == max(known, default=0)
        assert memory.unread == bool(unseen_of_others)
    if "look" in steps:
        assert memory.looked == looked_at


def test_ones_own_messages_are_never_unread() -> None:
    memory = ChatMemory()
    memory.note(3, own=True)
    assert not memory.unread
    memory.note(2, own=False)
    assert memory.unread, "older than one's own, and yet not seen"
    assert memory.look() == 3
    assert not memory.unread
