"""Promise: whatever happens on the ways to the database and to the app, nothing recorded is lost, and nobody is blamed for it.

One run for each way, in which one thing after another happens; the record shows of each that it did.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from analysis.evidence import Evidence, read_evidence
from analysis.record import iter_batches
from analysis.record.codes import Outcome, PollKind, SocketEvent
from analysis.record.tables import EVENTS, SOCKETS
from tests.adversary.tcp_proxy import TcpProxy
from tests.adversary.whole_runs import (
    FORGIVING,
    clean_but,
    let_pass,
    polls_of,
    settings_for,
    wait_for_messages,
    wait_for_more,
)
from tests.adversary.world import holds
from tests.locustfiles.soaks import Soak
from tests.staging.stages import RunningStage, running_stage

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

LOAD = ("--users", "12", "--spawn-rate", "12", "--run-time", "180s")  # ended as soon as all has happened
SILENCE_S = 5.0
TIMEOUT_S = 2.0  # of a request
HEARTBEAT_S = 4.0  # well above both: a listener goes on so long at least, with people who send again
MOST_AGAIN = 0.8  # of the listeners have to hear again before the next thing happens
INTERVAL_S = 0.3
SLOWER_S = 0.6
SEEN_S = 1.0  # the other side has noticed by then

Window = tuple[int, int]  # from and to, by `time.monotonic_ns`, which the record uses too


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


def within(window: Window, at_ns: "pd.Series[int]") -> "pd.Series[bool]":
    return (at_ns >= window[0]) & (at_ns <= window[1])


def written(running: Soak, table: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """What the load has written down of a table so far."""
    for run in running.reports.glob("2*"):
        yield from iter_batches(run / "record" / "local", table, schema)


def listeners_of(running: Soak, since_ns: int = 0) -> int:
    """How many people's events of Realtime have been written down so far, of those that came since then."""
    heard: set[bytes] = set()
    for batch in written(running, "events", EVENTS):
        heard.update(batch.filter(pc.greater_equal(batch["received_ns"], since_ns))["user_id"].to_pylist())
    return len(heard)


def heartbeats_missed(running: Soak) -> int:
    """How many sockets have been given up so far because a heartbeat was not answered."""
    return sum(
        row["event"] == SocketEvent.CLOSED and "heartbeat" in row["detail"]
        for batch in written(running, "sockets", SOCKETS)
        for row in batch.to_pylist()
    )


class Happenings:
    """When each thing happened; the run goes on before the next."""

    def __init__(self, running: Soak, stage: RunningStage) -> None:
        self._running, self._stage = running, stage
        self.windows: dict[str, Window] = {}

    def happens(
        self, name: str, begin: Callable[[], None], lasts: Callable[[], None], end: Callable[[], None]
    ) -> None:
        """From `begin` until `lasts` returns; then `end`, and until messages are stored and most people hear of them again: a
        thing that happens to hardly anybody may show nothing."""
        began_ns = time.monotonic_ns()
        begin()
        lasts()
        self.windows[name] = (began_ns, time.monotonic_ns())
        end()
        wait_for_more(self._running, self._stage)
        over_ns, all_there_are = self.windows[name][1], listeners_of(self._running)
        self._running.wait_until(
            "most listeners are back",
            lambda: listeners_of(self._running, over_ns) >= MOST_AGAIN * all_there_are,
        )


def test_the_way_to_the_database(own: RunningStage, tmp_path: Path) -> None:
    settings = settings_for(own, **FORGIVING, CHATSOAK_MONITOR_INTERVAL_S=str(INTERVAL_S))
    with TcpProxy(own.database_url) as proxy:
        load = ("--host", own.app_url, *LOAD)
        with Soak(tmp_path, *load, environment={**settings, "DATABASE_URL": proxy.url}) as running:
            running.wait_for_load()
            wait_for_messages(running, own, 30)
            happened = Happenings(running, own)

            def out_of_reach() -> None:
                proxy.refuse()
                proxy.reset_all()

            def has_failed() -> None:
                running.wait_until("a look failed", lambda: polls_of(running)[-1]["kind"] == PollKind.FAILED)

            def connects_again() -> None:
                before = proxy.accepted
                running.wait_until("another connection", lambda: proxy.accepted > before)

            def is_silent() -> None:
                let_pass(running, SILENCE_S, "some silence")

            def happens(name: str, begin: Callable[[], None], lasts: Callable[[], None]) -> None:
                happened.happens(name, begin, lasts, proxy.let_through)

            happens("DatabaseOutOfReach", out_of_reach, has_failed)
            happens("AnswerOfDatabaseCutOff", lambda: proxy.cut_off(to_client=True), connects_again)
            happens("QueryCutOff", lambda: proxy.cut_off(to_server=True), connects_again)
            happens("DatabaseSilent", lambda: proxy.silence(to_client=True), is_silent)
            happens("MonitorUnheard", lambda: proxy.silence(to_server=True), is_silent)
            running.interrupt()
            ended = running.end()
    clean_but(ended, set())
    holds(ended.verdict, *happened.windows)
    assert ended.verdict["counts"]["ok"] == ended.verdict["counts"]["stored"]
    polls = read_evidence((running.reports / "latest").resolve()).polls
    failed = polls[polls["kind"] == PollKind.FAILED]
    ended_ns = failed["at_ns"] + (failed["duration_ms"] * 1e6).astype("int64")
    assert within(
        happened.windows["DatabaseOutOfReach"], ended_ns
    ).any()  # one that had begun is cut off, too
    assert failed["error"].astype(str).str.contains("cannot be used|lost|closed|gone").any()
    looks_ns = polls.loc[polls["kind"] != PollKind.FAILED, "at_ns"].to_numpy()
    for name in ("DatabaseSilent", "MonitorUnheard"):
        assert longest_gap_s(looks_ns, happened.windows[name]) >= SILENCE_S - SEEN_S


def longest_gap_s(times_ns: np.ndarray, window: Window) -> float:
    """The longest time without any of these, of those that reach into the window."""
    gaps = np.diff(times_ns)
    reaching = (times_ns[:-1] <= window[1]) & (times_ns[1:] >= window[0])
    return float(gaps[reaching].max()) / 1e9


def test_the_ways_to_the_app_and_to_supabase(own: RunningStage, tmp_path: Path) -> None:
    with ExitStack() as stack:
        app, supabase = (stack.enter_context(TcpProxy(own.app_url)) for _ in range(2))
        settings = {
            "NEXT_PUBLIC_SUPABASE_URL": supabase.url,
            "CHATSOAK_REQUEST_TIMEOUT_S": str(TIMEOUT_S),
            "CHATSOAK_HEARTBEAT_S": str(HEARTBEAT_S),
        }
        environment = settings_for(own, **FORGIVING, CHATSOAK_RECONNECT_SHARE="0") | settings
        running = stack.enter_context(Soak(tmp_path, "--host", app.url, *LOAD, environment=environment))
        running.wait_for_load()
        wait_for_messages(running, own, 30)
        happened = Happenings(running, own)

        def both(do: Callable[[TcpProxy], None]) -> Callable[[], None]:
            def do_both() -> None:
                for proxy in (app, supabase):
                    do(proxy)

            return do_both

        def shows() -> None:
            let_pass(running, SEEN_S, "the other side notices")

        def lasts() -> None:
            let_pass(running, SILENCE_S, "some time")

        def is_noticed() -> None:
            """Until a heartbeat is missed: by then sends have failed, and events have come if they can."""
            before = heartbeats_missed(running)
            running.wait_until("a heartbeat is missed", lambda: heartbeats_missed(running) > before)

        def happens(name: str, begin: Callable[[], None], lasts: Callable[[], None]) -> None:
            happened.happens(name, begin, lasts, both(TcpProxy.let_through))

        happens("ConnectionsReset", both(TcpProxy.reset_all), shows)
        happens("AnswersCutOff", both(lambda proxy: proxy.cut_off(to_client=True)), shows)
        happens("RequestsCutOff", both(lambda proxy: proxy.cut_off(to_server=True)), shows)
        slower = both(lambda proxy: proxy.delay(SLOWER_S, to_client=True, to_server=True))
        happens("EverythingSlow", slower, lasts)
        happens("ServerSilent", both(lambda proxy: proxy.silence(to_client=True)), is_noticed)
        happens("HeartbeatsLost", lambda: supabase.silence(to_server=True), is_noticed)
        happens("RequestsHeldBack", lambda: app.silence(to_server=True), lasts)
        running.interrupt()
        ended = running.end()
    holds(ended.verdict, *happened.windows)
    counts = ended.verdict["counts"]
    assert counts["stored"] - counts["ok"] <= counts["info"]
    shown_by(read_evidence((running.reports / "latest").resolve()), happened.windows)


def shown_by(record: Evidence, windows: dict[str, Window]) -> None:
    """What the record has to show of each."""
    sends, events, sockets = record.sends, record.events, record.sockets

    def closed(name: str, why: str) -> bool:
        ends = sockets[
            (sockets["event"] == SocketEvent.CLOSED) & within(later(windows[name]), sockets["at_ns"])
        ]
        return bool(ends["detail"].astype(str).str.contains(why).any())

    def failed(name: str, why: str) -> bool:
        some = sends[(sends["outcome"] == Outcome.INFO) & within(later(windows[name]), sends["answered_ns"])]
        return bool(some["error"].astype(str).str.contains(why).any())

    def later(window: Window) -> Window:
        return window[0], window[1] + round(SILENCE_S * 1e9)  # a request times out later

    for name in ("ConnectionsReset", "AnswersCutOff", "RequestsCutOff"):
        assert closed(name, "reset|without a close frame|broke the protocol"), name
    slow = within(windows["EverythingSlow"], sends["left_ns"])
    assert ((sends["answered_ns"] - sends["left_ns"])[slow] >= 2 * SLOWER_S * 1e9).any()
    assert failed("ServerSilent", "time"), "no send timed out"
    first_ns, last_ns = windows["ServerSilent"]
    silent = (first_ns + round(SEEN_S * 1e9), last_ns)
    assert not within(silent, events["received_ns"]).any(), "events came in the silence"
    first_ns, last_ns = windows["HeartbeatsLost"]
    assert within((first_ns + round(SEEN_S * 1e9), last_ns), events["received_ns"]).any(), (
        "events had to flow"
    )
    assert failed("RequestsHeldBack", "time")
