"""Judged runs for the report's tests: real records, really judged, small."""

from pathlib import Path

from analysis.judge import judge_run
from analysis.judgement import Judgement
from analysis.record.codes import Outcome, PollKind
from tests.analysis.histories import History, ns

HOSTILE = '<script>alert(1)</script></style><img src=x onerror="alert(1)"> ]]> \u202e $\\frac{a}{b}$ \x07'
HOSTILE += " \x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\u2028\u200b @somebody https://evil.example :x: \r\n✓ PASS"


def obeyed(text: str) -> set[str]:
    """What a terminal, a browser or a reader would be misled by in `text`, of what `HOSTILE` has."""
    return set(text) & set("\u202e\x07\x1b\x9b\u2028\u200b")


class Told(History):
    """A history whose `run` has more of what a report shows, some of it hostile."""

    ended = True

    def run(self):  # type: ignore[no-untyped-def]
        run = super().run()
        run.settings = {"CHATSOAK_MESSAGES_PATH": "/api/messages", "CHATSOAK_CHAT_NAME": HOSTILE + "\ud800"}
        run.versions["postgresql"] = "18.0"
        run.notes = [HOSTILE]
        run.host = "http://127.0.0.1:8000/?" + HOSTILE.replace("\x07", "")
        run.phases = [{"name": "load", "at_ns": ns(0)}, {"name": "stopping", "at_ns": ns(70)}]
        if not self.ended:
            run.ended_at = None
        return run


def clean(messages: int = 60) -> Told:
    """Three people in a chat; every message was stored and reached everybody."""
    history = Told(people=3)
    chat = history.chat(0, 1, 2)
    for number in range(messages):
        message = history.send(
            number % 3, chat, at=1.0 + number, took=0.05 + (number % 7) / 20, seq=number + 1
        )
        history.store(message)
        history.deliver(message, message.at + 0.4)
    for second in range(70):
        history.fare(second, users=min(second, 20))
        history.rows["gauges"].append((ns(second), "connections.active", float(second)))
        history.gauge(f"slot.{HOSTILE}.lag_bytes".replace("\x07", ""), second, 1e7 * second)
    history.poll(65.0, PollKind.FAILED)
    history.finish()
    return history


def faulty(bad: int = 40) -> Told:
    """As `clean`, and then `bad` sends failed with a hostile error, and as many acknowledged ones were lost."""
    history = clean()
    for number in range(bad):
        history.send(0, 0, at=65 + number / 100, outcome=Outcome.INFO)
        sends = history.rows["sends"]
        sends[-1] = (*sends[-1][:-1], HOSTILE)
        history.send(1, 0, at=65 + number / 100, seq=1000 + number, text=HOSTILE + str(number))
    return history


def close_call() -> Told:
    """Everybody is well, and the average is so near its target that another run may miss it."""
    history = Told(people=2)
    chat = history.chat(0, 1)
    for number in range(400):
        took = 0.29 + (number * 7919 % 401 - 200) / 1000
        message = history.send(number % 2, chat, at=1.0 + number, took=took, seq=number + 1)
        history.store(message)
        history.deliver(message, message.at + 0.6)
    history.finish(at=500.0)
    return history


class Open(Told):
    """A run of an open workload."""

    def run(self):  # type: ignore[no-untyped-def]
        run = super().run()
        run.settings["CHATSOAK_WORKLOAD"] = "open"
        return run


def held_up() -> Open:
    """A message a second, each answered in 100 ms; those of seconds 20 to 24 left two seconds after they were due."""
    history = Open(people=2)
    chat = history.chat(0, 1)
    for number in range(60):
        history.store(history.send(0, chat, at=float(number), seq=number + 1, late=2.0 * (20 <= number < 25)))
    for second in range(60):
        history.fare(second)
    history.finish()
    return history


def soaked() -> Told:
    """Twenty minutes of two messages a second with 20 users; after ten, at a checkpoint, answers take 160 ms and no longer 100."""
    history = Told(people=2)
    chat = history.chat(0, 1)
    for number in range(2400):
        at = number / 2
        message = history.send(number % 2, chat, at=at, took=0.1 if at < 600 else 0.16, seq=number + 1)
        history.store(message)
        history.deliver(message)
    for second in range(0, 1200, 5):
        history.fare(second, users=20)
        history.gauge("checkpoints.timed", second, float(second >= 595))
        history.gauge("connections.active", second, 3.0)
    history.finish(1210)
    return history


# What a load process may note of itself beside what it always does.
FARED = (
    *("run_delay_ms", "throttled_ms", "gc_ms", "gc_longest_ms"),
    *("late_ms", "in_flight", "slot_wait_ms", "overflow", "never_left"),
)


def busy_day() -> Told:
    """A day of which every plot is full: all of the server's and the load processes' figures with all their lines, restarts, phases."""
    history = Told(people=4)
    chat = history.chat(0, 1, 2, 3)
    spread = [(number * 7919) % 1000 for number in range(6000)]
    for number, odd in enumerate(spread):
        at = number * 14.4
        message = history.send(number % 4, chat, at=at, took=0.01 + odd / 400, seq=number + 1)
        if number % 3 == 0:
            history.deliver(message, at + odd / 200)
    levels = ("active", "idle", "idle_in_transaction", "other")
    counters = (
        *("transactions.committed", "transactions.rolled_back", "tuples.inserted", "tuples.updated"),
        *("tuples.deleted", "wal.bytes", "checkpoints.timed", "checkpoints.requested", "deadlocks"),
        *("temporary.bytes", "blocks.hit", "blocks.read"),
    )
    for number, odd in enumerate(spread):
        at = number * 14.4
        history.fare(at, users=20 + odd % 7, **dict.fromkeys(FARED, odd % 90))
        history.poll(at, PollKind.FAILED if odd < 100 else PollKind.POLL, server_s=at - at % 300)
        for place, name in enumerate(levels):
            history.gauge(f"connections.{name}", at, float(odd * (place + 3) % 20))
        for name in ("locks.waiting", "transactions.oldest_s"):
            history.gauge(name, at, float(odd % 17))
        for name in counters:
            history.gauge(name, at, at * 100 + odd)
        for table in range(4):
            for what in ("rows_dead", "bytes", "index_bytes", "autovacuums"):
                history.gauge(f"table.{HOSTILE[:30]}{table}.{what}", at, at * 10 + odd * (table + 1) ** 2)
            for what in ("retained_bytes", "lag_bytes"):
                history.gauge(f"slot.slot number {table}.{what}", at, odd * 1e5 * (table + 1))
    history.finish(86_500)
    return history


def empty() -> Told:
    """Nobody sent anything."""
    history = Told()
    history.chat(0, 1)
    history.finish()
    return history


def judged(history: History, folder: Path) -> Judgement:
    """The judgement of `history`, written to `folder` by the real writer and read back."""
    return judge_run(history.write(folder), lambda _: None)
