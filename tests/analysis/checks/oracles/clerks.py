"""Draws ledgers: a few messages, their repeats and answers, and rows that are theirs, almost theirs, or nobody's."""

from dataclasses import replace

from hypothesis import strategies as st

from analysis.record.codes import ObservedChange, Outcome, PollKind
from tests.analysis.checks.oracles.ledger import Ledger, Send, State
from tests.analysis.checks.oracles.story import Poll, Process

IDS = 6
LAST = 20  # when the sweep is taken
_TEXTS = ("a", "b", "b\n", "")
_LOST = st.sampled_from(
    [(), (), (), ("pages",)]
)  # of the record of a load process: any table says that it is not whole
_NUMBERS = st.sampled_from([None, 1, 2, 3, 4])


@st.composite
def kept_books(draw: st.DrawFn) -> Ledger:
    """Two people of the run and a stranger, two chats; keys are of one message each, all else may be anything."""
    sweep = draw(st.sampled_from([True, True, True, False]))
    ledger = Ledger(
        people=2,
        chats=[(0, 1), (0, 1)],
        baseline=[draw(st.sampled_from([0, 0, 2, None])), 0],
        processes=[Process(), Process(draw(st.sampled_from(["here", "here", "there"])), lost=draw(_LOST))],
        process_of=[0, 1],
        monitor=Process(lost=draw(st.sampled_from([(), (), (), ("observations",)]))),
        measured=draw(st.sampled_from([{}, {"there": True}, {"there": False}])),
    )
    ledger.polls = [Poll(PollKind.POLL, 5), Poll(PollKind.POLL, 10)]
    ledger.polls.append(Poll(PollKind.SWEEP if sweep else PollKind.POLL, LAST))
    ledger.polls[-1].asked = draw(st.sampled_from([None, LAST, LAST - 3]))
    keyless = draw(st.sampled_from([False, False, True]))
    for number in range(draw(st.integers(0, 4))):
        person, chat = draw(st.integers(0, 1)), draw(st.integers(0, 1))
        key = None if keyless else draw(st.sampled_from([number, number, number, None]))
        text = draw(st.sampled_from(_TEXTS))
        for _ in range(draw(st.sampled_from([1, 1, 2, 3])) if key is not None else 1):
            left = draw(st.integers(0, LAST + 1))
            outcome = draw(st.sampled_from([Outcome.OK, Outcome.OK, Outcome.FAIL, Outcome.INFO]))
            send = Send(person, chat, key, text, left, left + draw(st.integers(0, 3)), outcome)
            if outcome is Outcome.OK:
                send.id = draw(st.sampled_from([number, number, number, None, IDS - 1, 0]))
                send.seq = draw(_NUMBERS)
            ledger.sends.append(send)
    ledger.sends = draw(st.permutations(ledger.sends))
    ledger.rows = [_row(draw, ledger, number) for number in range(IDS)]
    return ledger


def _row(draw: st.DrawFn, ledger: Ledger, number: int) -> list[State]:
    """What was seen of the row of this id: most often as some send had it, with at most a few fields changed."""
    seen = draw(st.sampled_from(["no", "no", "stays", "stays", "changes", "goes", "only gone"]))
    if seen == "no":
        return []
    like = draw(st.sampled_from([None, *ledger.sends]))
    telling = [send for send in ledger.sends if send.id == number]
    if telling and draw(st.integers(0, 2)):
        like = telling[0]
    first = draw(st.integers(0, 1))
    created = draw(st.sampled_from([0, 0, 60, 61, 70]))
    changed = draw(st.sets(st.sampled_from(["chat", "sender", "key", "text", "seq"]), max_size=2))
    if like is None:
        changed = {"chat", "sender", "key", "text", "seq"}

    def some(field: str, as_sent: object, other: st.SearchStrategy[object]) -> object:
        return draw(other) if field in changed else as_sent

    def state(poll: int, change: ObservedChange) -> State:
        return State(
            poll,
            change,
            some("chat", like and like.chat, st.integers(0, 1)),  # type: ignore[arg-type]
            some("sender", like and like.person, st.integers(0, 2)),  # type: ignore[arg-type]
            some("key", like and like.key, st.sampled_from([None, None, 0, 1, 2, 9])),  # type: ignore[arg-type]
            some("seq", like and like.seq, _NUMBERS),  # type: ignore[arg-type]
            some("text", like and like.text, st.sampled_from([*_TEXTS, None])),  # type: ignore[arg-type]
            draw(st.sampled_from([False, False, False, True])),
            created,
        )

    states = [state(first, ObservedChange.APPEARED)]
    if seen == "changes":
        later = range(first + 1, len(ledger.polls))
        states += [state(poll, ObservedChange.CHANGED) for poll in later if draw(st.booleans())]
    if seen in ("goes", "only gone"):
        known = states[0]
        gone = State(first + 1, ObservedChange.GONE, known.chat, None, None, known.seq, None, created=created)
        # Of one that is only gone the first looks are in the part of a record that was lost.
        states = [known, gone] if seen == "goes" else [gone]
        if first == 0 and draw(st.booleans()):
            states.append(replace(known, poll=2))
    return states
