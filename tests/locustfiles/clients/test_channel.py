"""Promise: a subscription says at once when a message comes again, or after a later one."""

import pytest

from locustfiles.clients.channel import OUT_OF_ORDER, RECENT, TWICE, Channel


@pytest.mark.parametrize(
    ("seqs", "said"),
    [
        ([1, 2, 3, 5, 9], [None] * 5),
        ([1, 2, 2, 3], [None, None, TWICE, None]),
        ([1, 2, 1, 3], [None, None, TWICE, None]),
        ([1, 3, 2, 4], [None, None, OUT_OF_ORDER, None]),
        ([7, 6, 6, 8], [None, OUT_OF_ORDER, TWICE, None]),
    ],
)
def test_what_is_wrong_with_the_order_is_told(seqs: list[int], said: list[str | None]) -> None:
    channel = Channel("c", "1", 0)
    assert [channel.came(seq) for seq in seqs] == said
    assert channel.last_seq == seqs[-1]


def test_it_remembers_no_more_than_it_has_to() -> None:
    channel = Channel("c", "1", 0)
    for seq in range(10 * RECENT):
        assert channel.came(seq) is None
    assert len(channel.recent) == RECENT


def test_a_new_subscription_may_bring_what_the_one_before_had_brought() -> None:
    channel = Channel("c", "1", 0)
    channel.came(4)
    channel.begin_anew()
    assert (channel.came(4), channel.came(4)) == (None, TWICE)


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
        channel.read_seq = read
    for seq in came:
        channel.came(seq)
    assert channel.awaited(newest) == awaited
