"""Stories of the tool itself: parts of a record that are whole or not, and a monitor that looked often enough or not."""

from hypothesis import strategies as st

from analysis.record.codes import Outcome, PollKind
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES
from tests.analysis.checks.oracles.story import Attempt, Message, Poll, Process, Story

_GAPS = st.sampled_from([1, 1, 1, 2, 5, 29, 30, 31, 49, 50, 51])


@st.composite
def kept(draw: st.DrawFn) -> Story:
    """Any combination of what can be lacking from a record, most often nothing."""
    processes = [_process(draw, sorted(LOAD_TABLES)) for _ in range(draw(st.integers(0, 3)))]
    senders = list(range(len(processes)))
    story = Story(
        people=max(1, len(processes)),
        chats=[(0,)] * draw(st.integers(0, 2)),
        baseline=draw(st.sampled_from([[0, 0], [0, 0], [None, 0], [None, None]])),
        processes=processes,
        monitor=_process(draw, sorted(DATABASE_TABLES)),
        process_of=senders,
        ended=draw(st.sampled_from([True, True, True, False])),
        interval_s=draw(st.sampled_from([None, 1.0, 5.0, 0.5])),
        measured=draw(st.dictionaries(st.sampled_from(["here", "there"]), st.booleans())),
    )
    if senders:
        for _ in range(draw(st.integers(0, 3))):
            left = draw(st.integers(0, 120))
            attempt = Attempt(left, left + 1, draw(st.sampled_from(Outcome)))
            story.messages.append(Message(draw(st.sampled_from(senders)), 0, [attempt], 1, []))
    at = draw(st.integers(0, 40))
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from([*[PollKind.POLL] * 6, PollKind.FAILED, PollKind.SWEEP]))
        story.polls.append(Poll(kind, at, 0, at))
        at += draw(_GAPS)
    if draw(st.integers(0, 3)):
        story.polls.append(Poll(PollKind.SWEEP, at, 0, at))
    return story


def _process(draw: st.DrawFn, tables: list[str]) -> Process:
    host = draw(st.sampled_from(["here", "here", "here", "there"]))
    if draw(st.integers(0, 2)) != 2:
        return Process(host)
    some = st.lists(st.sampled_from(tables), max_size=2, unique=True).map(tuple)
    return Process(
        host,
        lost=draw(some),
        short=draw(some),
        unfinished=draw(some),
        error=draw(st.sampled_from([None, None, "no space left on device"])),
        closed=draw(st.sampled_from([True, True, True, False])),
        silent=draw(st.sampled_from([False, False, False, True])),
    )
