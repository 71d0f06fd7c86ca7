"""Promise: a device comes back by itself, later each time and not in step with others, and reads what it missed."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import gevent
import pytest

from analysis.record import read_table
from analysis.record.codes import SocketEvent
from analysis.record.tables import LOAD_TABLES
from locustfiles.clients.realtime import RealtimeSocket
from locustfiles.clients.websocket import RealtimeError
from locustfiles.life import device, gaps
from locustfiles.life.login import CannotSignIn
from staging.app import LONGEST_PAGE
from tests.locustfiles.life.devices import WAIT_S, devices, read_seqs, steps, wait_until, write
from tests.staging.stages import RunningStage, running_stage


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
