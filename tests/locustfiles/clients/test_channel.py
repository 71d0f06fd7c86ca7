"""Promise: a subscription says at once when a message comes again, or after a later one, and says it only where it can tell."""

import pytest

from locustfiles.clients.channel import OUT_OF_ORDER, RECENT, TWICE, Channel, Wrong

Came = tuple[str, int]  # id and seq


def wrongs(channel: Channel, *messages: Came) -> list[Wrong | None]:
    return [channel.came(seq, message_id, 1) for message_id, seq in messages]


def numbered(*seqs: int) -> list[Came]:
    """Messages that are called by their numbers."""
    return [(f"m{seq}", seq) for seq in seqs]


def late(*later: int) -> Wrong:
    """One that came after these."""
    return Wrong(OUT_OF_ORDER, tuple(numbered(*later)))


@pytest.mark.parametrize(
    ("seqs", "said"),
    [
        ([1, 2, 3, 5, 9], [None] * 5),
        ([1, 2, 2, 3], [None, None, Wrong(TWICE), None]),
        ([1, 2, 1, 3], [None, None, Wrong(TWICE), None]),
        ([1, 3, 2, 4], [None, None, late(3), None]),
        ([1, 4, 3, 2], [None, None, late(4), late(4, 3)]),
        ([7, 6, 6, 8], [None, late(7), Wrong(TWICE), None]),
    ],
)
def test_what_is_wrong_with_the_order_is_told(seqs: list[int], said: list[Wrong | None]) -> None:
    channel = Channel("c", "1", 0)
    assert wrongs(channel, *numbered(*seqs)) == said
    assert channel.last_seq == seqs[-1]


def test_another_message_with_the_same_seq_is_no_repetition() -> None:
    assert wrongs(Channel("c", "1", 0), ("a", 1), ("b", 1)) == [None, None]


def test_it_remembers_no_more_than_it_has_to() -> None:
    channel = Channel("c", "1", 0)
    assert set(wrongs(channel, *numbered(*range(10 * RECENT)))) == {None}
    assert len(channel.recent) == RECENT


def test_what_may_have_come_before_all_that_is_remembered_is_left_open() -> None:
    """It may be a repetition, or have been overtaken: the record tells."""
    channel = Channel("c", "1", 0)
    wrongs(channel, ("m0", 0), *numbered(*range(2, RECENT + 3)))
    assert wrongs(channel, ("m0", 0), ("m1", 1)) == [None, None]
    highest = RECENT + 2
    assert wrongs(channel, (f"m{highest}", highest)) == [Wrong(TWICE)]


def test_a_new_subscription_may_bring_what_the_one_before_had_brought() -> None:
    channel = Channel("c", "1", 0)
    channel.came(4, "a", 10)
    channel.begin_anew(20)
    assert channel.came(4, "a", 20) is None  # read together with the confirmation: of either
    assert (channel.came(4, "a", 21), channel.came(4, "a", 22)) == (None, Wrong(TWICE))


def test_while_a_new_token_is_not_confirmed_either_subscription_may_bring_it() -> None:
    channel = Channel("c", "1", 0)
    channel.came(4, "a", 10)
    channel.refresh(15)
    assert [channel.came(4, "a", 16), channel.came(3, "b", 17)] == [None, None]
    channel.begin_anew(20)
    assert channel.came(5, "c", 21) is None
    assert channel.came(4, "a", 22) == Wrong(OUT_OF_ORDER, (("c", 5),))


def test_a_message_without_an_id_is_no_evidence() -> None:
    channel = Channel("c", "1", 0)
    assert [channel.came(2, None, 1), channel.came(2, None, 2), channel.came(1, "a", 3)] == [None] * 3


@pytest.mark.parametrize(
    ("read", "came", "newest", "awaited"),
    [
        (None, [3, 4], 4, 4),
        (None, [], 4, 4),  # nothing new since before, or the wait ran out
        (4, [], 4, None),  # seen in history: the event may still be under way
        (4, [2, 3], 4, 3),
        (4, [5, 6], 6, 6),
        (4, [5], 6, 6),
    ],
)
def test_what_history_gave_was_no_wait_for_events(
    read: int | None, came: list[int], newest: int, awaited: int | None
) -> None:
    channel = Channel("c", "1", 0)
    if read is not None:
        channel.known_seq = read
    wrongs(channel, *numbered(*came))
    assert channel.awaited(newest) == awaited
