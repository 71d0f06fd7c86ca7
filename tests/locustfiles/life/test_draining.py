"""Promise: in the drain a device waits for all that it is owed, reads what does not come, and says what it could not get."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest

from analysis.record import read_table
from analysis.record.codes import Outcome, SocketEvent
from analysis.record.tables import LOAD_TABLES
from locustfiles.clients.messages import Page
from locustfiles.clients.websocket import RealtimeError
from locustfiles.life import device, gaps
from locustfiles.life.device import Device
from locustfiles.life.login import CannotSignIn
from tests.analysis.targets import run as run_sql
from tests.analysis.targets import value
from tests.locustfiles.life.devices import (
    WAIT_S,
    devices,
    history_refused,
    lose,
    read_seqs,
    steps,
    wait_until,
    write,
)
from tests.staging.stages import Person as SignedIn
from tests.staging.stages import RunningStage, running_stage

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
