"""Promise: a device comes back by itself, later each time and not in step with others, and reads what it missed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import gevent
import httpx
import pytest
from locust.env import Environment

from analysis.record import Chat, Person, read_table
from analysis.record.codes import Outcome, SocketEvent
from analysis.record.tables import LOAD_TABLES
from analysis.settings import load
from locustfiles.clients.messages import Page
from locustfiles.clients.realtime import RealtimeSocket
from locustfiles.clients.websocket import RealtimeError
from locustfiles.life import device, gaps
from locustfiles.life.device import Device
from locustfiles.life.login import CannotSignIn
from locustfiles.run.assignment import Assignment
from locustfiles.run.load import Load
from staging.app import LONGEST_PAGE
from tests.analysis.targets import run as run_sql
from tests.analysis.targets import value
from tests.staging.stages import PASSWORD, RunningStage, running_stage
from tests.staging.stages import Person as SignedIn

WAIT_S = 20.0


@pytest.fixture(scope="module")
def stage() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "never came to hold"
        gevent.sleep(0.02)


@contextmanager
def devices(stage: RunningStage, folder: Path, *people: SignedIn) -> Iterator[tuple[Load, str, list[Device]]]:
    """The devices of these people, signed in, and the one chat that they share."""
    chat_id = stage.chat(*people)
    ids = tuple(person.id for person in people)
    run = Load(
        Assignment(
            run_id="run",
            folder=str(folder),
            host=stage.app_url,
            process="load",
            share=0,
            shares=1,
            users=len(people),
            people=tuple(Person(person.id, person.email) for person in people),
            chats=(Chat(chat_id, "group", ids, 1.0),),
            settings={},
        ),
        load(
            Path("no such file"),
            {
                "next_public_supabase_url": stage.supabase_url,
                "next_public_supabase_anon_key": stage.anon_key,
                "supabase_service_role_key": stage.service_role_key,
                "database_url": stage.database_url,
                "chatsoak_password": PASSWORD,
                "chatsoak_drain_s": 1,
            },
        ),
    )
    environment = Environment()
    made = []
    for person in run.assignment.people:
        made.append(Device(run, person, environment, lambda _: None))
        made[-1].sign_in()
    try:
        yield run, chat_id, made
    finally:
        run.cease()
        run.drain()


def steps(run: Load, person: Person) -> list[tuple[SocketEvent, int, int | None]]:
    """The person's steps with their times and seqs."""
    run.record.flush()
    rows = read_table(run.record.folder, "sockets", LOAD_TABLES["sockets"]).table.to_pylist()
    mine = [row for row in rows if row["user_id"].hex() == person.id.replace("-", "")]
    return [(SocketEvent(row["event"]), row["at_ns"], row["seq"]) for row in mine]


def write(stage: RunningStage, sender: SignedIn, chat_id: str, count: int) -> None:
    for number in range(count):
        httpx.post(
            f"{stage.app_url}/api/messages",
            headers={"Authorization": f"Bearer {sender.token}"},
            json={"chatId": chat_id, "text": f"message {number}"},
        ).raise_for_status()


def test_it_tries_again_later_each_time_and_not_in_step(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "BACKOFF_S", 0.1)
    monkeypatch.setattr(device, "LONGEST_BACKOFF_S", 0.4)
    with (
        running_stage("realtime_refuse_socket_rate=1", database_url=stage.database_url) as full,
        devices(full, tmp_path, full.person(), full.person()) as (run, _, both),
    ):
        jobs = [gevent.spawn(each.go_online) for each in both]
        wait_until(lambda: all(len(steps(run, each.person)) >= 6 for each in both))
        run.gate.close()
        for job in jobs:
            with pytest.raises(CannotSignIn):
                job.get(timeout=WAIT_S)
        pauses = []
        for each in both:
            seen = steps(run, each.person)
            assert {event for event, *_ in seen} == {SocketEvent.REFUSED}
            times = [at_ns / 1e9 for _, at_ns, _ in seen[:6]]
            pauses.append([after - before for before, after in pairwise(times)])
            for pause, mean in zip(pauses[-1], (0.1, 0.2, 0.4, 0.4, 0.4), strict=True):
                assert mean * 0.5 - 0.01 <= pause <= mean * 1.5 + 0.5, "jittered around a mean that doubles"
        assert max(abs(first - second) for first, second in zip(*pauses, strict=True)) > 0.01


def test_what_was_written_in_the_tunnel_is_read_afterwards(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "TUNNEL_S", (0.5, 0.5))
    monkeypatch.setattr(gaps, "CATCH_UP_PAGE", 4)  # so that it takes several
    sender, reader = stage.person(), stage.person()
    with devices(stage, tmp_path, sender, reader) as (run, chat_id, (_, away)):
        away.go_online()
        write(stage, sender, chat_id, 3)
        wait_until(lambda: away.memory[chat_id].seen == 3)
        tunnel = gevent.spawn(away.lose_connection)
        gevent.idle()
        write(stage, sender, chat_id, 10)
        tunnel.get(timeout=WAIT_S)
        assert away.memory[chat_id].seen == 13
        seen = steps(run, away.person)
        once = [SocketEvent.CONNECTED, SocketEvent.JOINED, SocketEvent.SUBSCRIBED]
        assert [event for event, *_ in seen] == [*once, SocketEvent.CLOSED, *once, SocketEvent.CAUGHT_UP]
        assert seen[-1][2] == 13
        run.record.flush()
        pages = read_table(run.record.folder, "pages", LOAD_TABLES["pages"]).table.to_pylist()
        assert [seq for page in pages for seq in page["seqs"]] == [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]


@pytest.mark.long
def test_a_server_that_gives_fewer_messages_than_were_asked_for_is_read_on(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "TUNNEL_S", (0.5, 0.5))
    monkeypatch.setattr(gaps, "CATCH_UP_PAGE", 2 * LONGEST_PAGE)
    sender, reader = stage.person(), stage.person()
    with devices(stage, tmp_path, sender, reader) as (run, chat_id, (_, away)):
        away.go_online()
        write(stage, sender, chat_id, 1)
        wait_until(lambda: away.memory[chat_id].seen == 1)
        tunnel = gevent.spawn(away.lose_connection)
        gevent.idle()
        write(stage, sender, chat_id, LONGEST_PAGE + 2)
        tunnel.get(timeout=WAIT_S)
        away.browse(chat_id, 2 * LONGEST_PAGE, pages=3)
        run.record.flush()
        pages = read_table(run.record.folder, "pages", LOAD_TABLES["pages"]).table.to_pylist()
    down = list(range(LONGEST_PAGE + 3, 0, -1))
    assert (
        [page["seqs"] for page in pages]
        == [
            *(
                down[:LONGEST_PAGE],
                down[LONGEST_PAGE:],
            ),  # caught up, down to what was known: that one is on the page
            *(down[:LONGEST_PAGE], down[LONGEST_PAGE:]),
        ]
    )
    assert [page["before_seq"] for page in pages] == [None, 4, None, 4]


def test_it_comes_back_when_the_server_cuts_it_off(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "BACKOFF_S", 0.1)
    with (
        running_stage("realtime_cut_every_s=1", database_url=stage.database_url) as rough,
        devices(rough, tmp_path, rough.person()) as (run, _, (alone,)),
    ):
        alone.go_online()
        wait_until(
            lambda: [event for event, *_ in steps(run, alone.person)].count(SocketEvent.CAUGHT_UP) >= 2
        )
        events = [event for event, *_ in steps(run, alone.person)]
        assert events.count(SocketEvent.CLOSED) >= 2
    assert steps(run, alone.person)[-1][0] is SocketEvent.CLOSED, "drained and gone"


NEWEST = (
    "create or replace function public.get_latest_seq(p_chat_id uuid) returns bigint language sql as $$ {} $$"
)


@contextmanager
def instead_of_get_latest_seq(stage: RunningStage, body: str) -> Iterator[None]:
    """The function does something else for a while."""
    query = "select pg_get_functiondef('public.get_latest_seq(uuid)'::regprocedure)"
    right = value(stage.database_url, query)
    run_sql(stage.database_url, NEWEST.format(body))
    try:
        yield
    finally:
        run_sql(stage.database_url, right)


@pytest.mark.parametrize(
    ("body", "by_history"),
    [
        ("select null::bigint", False),
        ("select null::bigint", True),
        ("select 1::bigint", False),
        ("select 1 / 0", False),
        ("select 1 / 0", True),
    ],
)
def test_a_drain_knows_what_to_wait_for_when_the_function_does_not(
    stage: RunningStage, tmp_path: Path, body: str, by_history: bool
) -> None:
    """By the answers to what this process has sent, or else by history; here its events do not come in time."""
    with (
        running_stage("realtime_delay_ms=5000", database_url=stage.database_url) as slow,
        devices(slow, tmp_path, slow.person(), slow.person()) as (run, chat_id, (away, _)),
    ):
        away.go_online()
        sender = slow.person()
        run_sql(
            slow.database_url,
            f"insert into chat_participants (chat_id, user_id) values ('{chat_id}', '{sender.id}')",
        )
        write(slow, sender, chat_id, 3)
        run.newest[chat_id] = 0 if by_history else 3
        with instead_of_get_latest_seq(slow, body):
            missing = away.drain(time.monotonic() + 0.3)
        assert missing is not None
        assert missing.endswith("up to seq 0 of 3")
        seen = steps(run, away.person)
        (asked,) = [seq for event, _, seq in seen if event is SocketEvent.DRAINING]
        assert asked == {"select null::bigint": 0, "select 1::bigint": 1}.get(body)
        assert [seq for event, _, seq in seen if event is SocketEvent.FINISHED] == [3]


def test_what_function_and_history_agree_on_is_waited_for_though_more_was_sent(
    stage: RunningStage, tmp_path: Path
) -> None:
    """The newest message was deleted."""
    with devices(stage, tmp_path, stage.person()) as (run, chat_id, (alone,)):
        alone.go_online()
        run.newest[chat_id] = 3
        assert alone.drain(time.monotonic() + WAIT_S) is None


def test_who_never_came_online_goes_on_trying_in_the_drain(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of the chats may have been subscribed meanwhile: only who has tried to the end can say that they were lost."""
    sender = stage.person()
    with devices(stage, tmp_path, sender, stage.person()) as (run, chat_id, (_, late)):
        write(stage, sender, chat_id, 2)
        connect = late._connect

        def refused() -> None:
            run.gate.close()
            raise RealtimeError("Token has expired 0 seconds ago")

        monkeypatch.setattr(late, "_connect", refused)
        with pytest.raises(CannotSignIn):
            late.go_online()
        monkeypatch.setattr(late, "_connect", connect)
        assert late.drain(time.monotonic() + WAIT_S) is None
        events = [event for event, *_ in steps(run, late.person)]
        assert (events.count(SocketEvent.FINISHED), events.count(SocketEvent.GAVE_UP)) == (1, 0)


@pytest.mark.parametrize("refused", [False, True])
def test_who_was_removed_from_the_chat_waits_for_nothing(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """An app may show them an empty history, or refuse it: then they come back without this chat."""
    monkeypatch.setattr(device, "TUNNEL_S", (0.1, 0.1))
    sender = stage.person()
    with devices(stage, tmp_path, sender, stage.person()) as (run, chat_id, (_, removed)):
        removed.go_online()
        run_sql(
            stage.database_url,
            f"delete from chat_participants where chat_id = '{chat_id}' and user_id = '{removed.person.id}'",
        )
        write(stage, sender, chat_id, 2)
        run.newest[chat_id] = 2
        if refused:
            no = Page(Outcome.FAIL, (), 403, "You are not in this chat")
            monkeypatch.setattr(removed.messages, "history", lambda *_: no)
        removed.lose_connection()
        assert removed.drain(time.monotonic() + WAIT_S) is None
        events = [event for event, *_ in steps(run, removed.person)]
        assert events.count(SocketEvent.GAVE_UP) == refused
        assert events.count(SocketEvent.FINISHED) == (not refused)


@contextmanager
def history_refused(of: Device) -> Iterator[list[int | None]]:
    """Whatever this device asks of history is answered 503; the bounds that it asked for."""
    client, asked = of.messages, []
    history = client.history

    def refused(chat_id: str, before: int | None, *_: object) -> Page:
        asked.append(before)
        return Page(Outcome.INFO, (), 503, "Come back later")

    client.history = refused  # type: ignore[method-assign, assignment]
    try:
        yield asked
    finally:
        client.history = history  # type: ignore[method-assign]


def lose(stage: RunningStage, away: Device, sender: SignedIn, chat_id: str, count: int) -> None:
    """The server makes a subscription anew, and of what was written meanwhile no event comes."""
    before = away.memory[chat_id].seen
    arrived, away._socket._on_insert = away._socket._on_insert, lambda _: None  # type: ignore[union-attr]
    write(stage, sender, chat_id, count)
    gevent.sleep(1.0)
    away._socket._on_insert = arrived  # type: ignore[union-attr]
    assert away.memory[chat_id].seen == before
    away._gap(chat_id, before)


def read_seqs(run: Load) -> list[int]:
    """What stood on the pages that were read, page by page."""
    run.record.flush()
    pages = read_table(run.record.folder, "pages", LOAD_TABLES["pages"]).table.to_pylist()
    return [seq for page in pages for seq in page["seqs"] or ()]


def test_a_gap_that_history_refused_is_read_later_and_the_drain_waits_for_it(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "BACKOFF_S", 0.1)
    monkeypatch.setattr(gaps, "CATCH_UP_PAGE", 2)
    sender, reader = stage.person(), stage.person()
    with devices(stage, tmp_path, sender, reader) as (run, chat_id, (_, away)):
        away.go_online()
        write(stage, sender, chat_id, 1)
        wait_until(lambda: away.memory[chat_id].seen == 1)
        with history_refused(away) as asked:
            lose(stage, away, sender, chat_id, 4)
            wait_until(lambda: len(asked) >= 2)
            write(stage, sender, chat_id, 1)
            wait_until(lambda: away.memory[chat_id].seen == 6)
            draining = gevent.spawn(away.drain, time.monotonic() + WAIT_S)
            gevent.sleep(0.5)
            assert not draining.ready(), "the newest has come, and yet something is lacking"
        assert draining.get(timeout=WAIT_S) is None
        seen = [(event, seq) for event, _, seq in steps(run, away.person)]
        assert seen.index((SocketEvent.CAUGHT_UP, 6)) < [event for event, _ in seen].index(
            SocketEvent.FINISHED
        )
        assert set(read_seqs(run)) >= {2, 3, 4, 5}


def test_a_drain_says_what_could_not_be_read_before_its_end(stage: RunningStage, tmp_path: Path) -> None:
    sender, reader = stage.person(), stage.person()
    with devices(stage, tmp_path, sender, reader) as (run, chat_id, (_, away)):
        away.go_online()
        write(stage, sender, chat_id, 1)
        wait_until(lambda: away.memory[chat_id].seen == 1)
        with history_refused(away):
            lose(stage, away, sender, chat_id, 1)
            write(stage, sender, chat_id, 1)
            wait_until(lambda: away.memory[chat_id].seen == 3)
            missing = away.drain(time.monotonic() + 0.5)
        assert (
            missing == f"{away.person.email} could not read in history what they had missed of chat {chat_id}"
        )
        assert SocketEvent.CAUGHT_UP not in [event for event, *_ in steps(run, away.person)]


def test_who_has_to_come_back_twice_reads_from_where_the_first_time_began(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that came between the two is newer than all that was missed."""
    monkeypatch.setattr(device, "TUNNEL_S", (0.5, 0.5))
    monkeypatch.setattr(device, "BACKOFF_S", 1.0)
    monkeypatch.setattr(gaps, "CATCH_UP_PAGE", 2)
    sender, reader = stage.person(), stage.person()
    with devices(stage, tmp_path, sender, reader) as (run, chat_id, (_, away)):
        away.go_online()
        write(stage, sender, chat_id, 1)
        wait_until(lambda: away.memory[chat_id].seen == 1)
        catch_up, failed = away._catch_up, []

        def after_an_event(*details: Any) -> None:
            if not failed:
                failed.append(True)
                write(stage, sender, chat_id, 1)
                wait_until(lambda: away.memory[chat_id].seen == 7)
                raise RealtimeError("503")
            catch_up(*details)

        monkeypatch.setattr(away, "_catch_up", after_an_event)
        tunnel = gevent.spawn(away.lose_connection)
        gevent.idle()
        write(stage, sender, chat_id, 5)
        tunnel.get(timeout=WAIT_S)
        assert set(read_seqs(run)) >= set(range(2, 8))


def test_a_socket_that_goes_down_while_history_is_read_is_made_anew(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "TUNNEL_S", (0.1, 0.1))
    monkeypatch.setattr(device, "BACKOFF_S", 0.1)
    with devices(stage, tmp_path, stage.person()) as (run, _, (alone,)):
        alone.go_online()
        catch_up, cut = alone._catch_up, []

        def from_a_tunnel(socket: Any, *details: Any) -> None:
            if not cut:
                cut.append(True)
                socket.cut()
            catch_up(socket, *details)

        monkeypatch.setattr(alone, "_catch_up", from_a_tunnel)
        alone.lose_connection()
        events = [event for event, *_ in steps(run, alone.person)]
        assert events.count(SocketEvent.SUBSCRIBED) == 3
        assert events[-1] is SocketEvent.CAUGHT_UP
        assert alone._socket is not None
        assert alone._socket.is_open


def test_who_goes_down_as_soon_as_they_are_subscribed_has_missed_what_came_since(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were never online, and yet the server had confirmed each of their chats."""
    monkeypatch.setattr(device, "BACKOFF_S", 0.1)
    sender, reader = stage.person(), stage.person()
    with devices(stage, tmp_path, sender, reader) as (run, chat_id, (_, away)):
        join, cut = RealtimeSocket.join, []

        def into_a_tunnel(socket: RealtimeSocket, *details: Any) -> None:
            join(socket, *details)
            if not cut:
                cut.append(True)
                socket.cut()
                wait_until(lambda: not socket.is_open)
                write(stage, sender, chat_id, 1)

        monkeypatch.setattr(RealtimeSocket, "join", into_a_tunnel)
        away.go_online()
        wait_until(lambda: SocketEvent.CAUGHT_UP in [event for event, *_ in steps(run, away.person)])
        assert read_seqs(run) == [1]


def come_online_while_something_is_written(
    stage: RunningStage, away: Device, sender: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the subscription and the answer about what was there before."""
    latest_seq = away.messages.latest_seq

    def late(chat_id: str) -> int | None:
        write(stage, sender, chat_id, 1)
        return latest_seq(chat_id)

    monkeypatch.setattr(away.messages, "latest_seq", late)
    away.go_online()
    monkeypatch.setattr(away.messages, "latest_seq", latest_seq)


@pytest.mark.parametrize(("delay_ms", "drain_s", "waited_for"), [(700, WAIT_S, 1), (5000, 0.2, None)])
def test_what_is_written_while_somebody_comes_online_may_come_late(
    stage: RunningStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    delay_ms: int,
    drain_s: float,
    waited_for: int | None,
) -> None:
    """Its event is given time to come, and where it does not, nobody says that they had waited for it."""
    with running_stage(f"realtime_delay_ms={delay_ms}", database_url=stage.database_url) as slow:
        sender = slow.person()
        with devices(slow, tmp_path, slow.person(), sender) as (run, chat_id, (away, _)):
            come_online_while_something_is_written(slow, away, sender, monkeypatch)
            assert away.memory[chat_id].seen == 1
            assert away.drain(time.monotonic() + drain_s) is None
            seen = steps(run, away.person)
            assert [seq for event, _, seq in seen if event is SocketEvent.FINISHED] == [waited_for]
            came = read_table(run.record.folder, "events", LOAD_TABLES["events"]).table
            assert came["seq"].to_pylist() == [1] * (waited_for is not None)


def test_a_connection_that_died_without_a_word_is_noticed_in_the_drain(
    stage: RunningStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before a heartbeat is missed: there is time to come back, and to read what did not come."""
    monkeypatch.setattr(device, "BACKOFF_S", 0.1)
    monkeypatch.setattr(device, "PROBE_S", 0.3)
    sender, reader = stage.person(), stage.person()
    with devices(stage, tmp_path, sender, reader) as (run, chat_id, (_, away)):
        away.go_online()
        for heard in ("_change", "_control"):
            monkeypatch.setattr(away._socket, heard, lambda *_: None)
        write(stage, sender, chat_id, 2)
        run.newest[chat_id] = 2
        assert away.drain(time.monotonic() + WAIT_S) is None
        assert read_seqs(run) == [2, 1]
        events = [event for event, *_ in steps(run, away.person)]
        assert events.count(SocketEvent.SUBSCRIBED) == 2
        assert events.index(SocketEvent.CAUGHT_UP) < events.index(SocketEvent.FINISHED)
