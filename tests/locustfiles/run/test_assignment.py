"""Promise: a worker reads exactly what the master wrote, over the wire that Locust uses between them."""

from hypothesis import given
from hypothesis import strategies as st
from locust.rpc import Message

from analysis.record import Chat, Person
from locustfiles.run.assignment import Assignment

WORDS = st.text(st.characters(codec="utf-8"), max_size=20)

ASSIGNMENTS = st.builds(
    Assignment,
    run_id=WORDS,
    folder=WORDS,
    host=WORDS,
    process=WORDS,
    share=st.integers(0, 100),
    shares=st.integers(1, 100),
    users=st.integers(1, 10_000),
    people=st.lists(st.builds(Person, WORDS, WORDS), max_size=4).map(tuple),
    chats=st.lists(
        st.builds(
            Chat,
            WORDS,
            st.sampled_from(["direct", "group"]),
            st.lists(WORDS, max_size=4).map(tuple),
            st.floats(0.1, 100),
        ),
        max_size=4,
    ).map(tuple),
    settings=st.dictionaries(WORDS, WORDS, max_size=4),
)


@given(assignment=ASSIGNMENTS)
def test_it_survives_the_way_to_a_worker(assignment: Assignment) -> None:
    sent = Message("chatsoak", assignment.as_message(), "worker-1").serialize()
    assert Assignment.from_message(Message.unserialize(sent).data) == assignment


@given(assignment=ASSIGNMENTS, share=st.integers(0, 9))
def test_each_process_gets_the_same_run(assignment: Assignment, share: int) -> None:
    given_out = assignment.for_process("load-3", share, 10)
    assert (given_out.process, given_out.share, given_out.shares) == ("load-3", share, 10)
    assert given_out.for_process(assignment.process, assignment.share, assignment.shares) == assignment
