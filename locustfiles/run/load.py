"""The load of one process in one run: its record, its people, the gate through which every action goes."""

import math
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol

from gevent.pool import Group

from analysis.rates import RateCurve
from analysis.record import ProcessInfo, RecordWriter
from analysis.record.process import KERNEL, READER
from analysis.record.tables import LOAD_TABLES
from analysis.settings import Settings, Workload
from locustfiles.clients.arrival import arrivals
from locustfiles.clients.ledger import Fire, Ledger
from locustfiles.clients.watch import Watch
from locustfiles.pool import Pool
from locustfiles.run.assignment import Assignment
from locustfiles.run.early import look_up_callers
from locustfiles.run.gate import Gate
from locustfiles.run.pulse import Departures, Pulse
from locustfiles.run.strain import Strain
from locustfiles.texts import Texts
from locustfiles.workload import ClosedPace, OpenPace, Pace, Schedule
from locustfiles.workload.alarm import Alarm
from locustfiles.workload.pace import NEVER_NS
from locustfiles.workload.slots import Lane, Slots, Straight

ATTEMPTS_SHARE = 0.5  # of an outsider's actions
CEASE_SLACK_S = 5.0  # beyond a request's time-out, for actions of several requests


class Online(Protocol):
    """Somebody with an open socket, who has to be drained before the run may be judged."""

    def drain(self, deadline: float) -> str | None:
        """Wait for what is on its way, then go offline. Returns what did not arrive, in words.

        Args:
            deadline: by `time.monotonic`.
        """


class Load:
    """One load process's part in one run.

    Attributes:
        alarm: wakes users when their next action is due; open workload only.
        schedule: says when that is; open workload only.
        outsiders: ids of people who also try what they may not.
        newest: by chat the highest seq that a send of this process was answered with.
        strain: whether this process keeps up.
        watch: what is certainly wrong, as this process sees it.
        tell_noticed: called with this process's name and its new findings, as the monitor words them.
        seek: called with ids of messages of which another load process may know what was answered.
        notes: what the verdict's reader should know, in sentences.
    """

    def __init__(self, assignment: Assignment, settings: Settings) -> None:
        self.assignment = assignment
        self.settings = settings
        self.host = assignment.host
        self.gate = Gate()
        self.notes: list[str] = []
        self.pool = Pool(assignment.people, assignment.chats, assignment.share, assignment.shares)
        some = math.ceil(settings.chatsoak_outsider_share * len(self.pool.people))
        self.outsiders = frozenset(person.id for person in self.pool.people[:some])
        self.rng = Random(f"{settings.chatsoak_seed}/{assignment.process}")
        self.texts = Texts(self.rng, f"{assignment.process[0]}{assignment.share}")
        self.online: set[Online] = set()
        self.newest: defaultdict[str, int] = defaultdict(int)
        self.record = RecordWriter(
            Path(assignment.folder) / "record" / assignment.process,
            LOAD_TABLES,
            ProcessInfo.here(assignment.process, KERNEL if arrivals() is not None else READER),
        )
        self.lane: Lane = Straight()
        self.alarm: Alarm | None = None
        self.schedule: Schedule | None = None
        if settings.chatsoak_workload is Workload.OPEN:
            self.lane = Slots(settings.chatsoak_max_in_flight, self.record.adder("slots_taken"))
            self.alarm = Alarm()
            self.schedule = self._open_schedule()
        self.before_close: list[Callable[[], None]] = []  # what still writes something down at the end
        self.never_left = 0  # open workload: actions that were due and had not begun when the load stopped
        self._ceased_ns = NEVER_NS
        self.next_walk = count(1).__next__
        self.next_socket = count(1).__next__
        self._ledger: Ledger | None = None
        look_up_callers()
        self.strain = Strain(assignment.process)
        self.tell_noticed: Callable[[str, list[dict[str, Any]]], None] | None = None
        self.seek: Callable[[list[str]], None] | None = None
        self.watch = Watch({chat.id: chat.participants for chat in assignment.chats})
        self._pulse = Pulse(
            self.record, lambda: len(self.online), self._departures, self.strain, self._hand_on_notices
        )

    def ledger(self, fire: Fire) -> Ledger:
        """Where this process's clients put down what they saw; `fire` fires Locust's `request` event."""
        if self._ledger is None:
            self._ledger = Ledger(self.record, fire, self.watch)
        return self._ledger

    def pace(self) -> Pace:
        """A new user's pace."""
        if self.schedule is not None:
            return self.schedule.enter()
        return ClosedPace(self.settings.chatsoak_think_time_s, self.rng)

    def leave(self, pace: Pace) -> None:
        """The user of `pace` is gone; what they had still to do will not be done."""
        if self.schedule is not None and isinstance(pace, OpenPace):
            self.never_left += self.schedule.leave(pace, time.monotonic_ns())

    def was_due(self, due_ns: int) -> bool:
        """Whether the schedule of an open workload wanted an action before the load stopped."""
        return self.schedule is not None and due_ns <= self._ceased_ns

    def cease(self) -> None:
        """Stop sending: let no action begin, and wait for those under way."""
        self.gate.close()
        self._ceased_ns = time.monotonic_ns()
        if self.schedule is not None:
            self.never_left += self.schedule.end(self._ceased_ns)
        timeout_s = self.settings.chatsoak_request_timeout_s + CEASE_SLACK_S
        if not self.gate.wait_idle(timeout_s):
            self.notes.append(
                f"{self.assignment.process}: some action still went on {timeout_s:.0f} s after the stop."
            )

    def drain(self) -> None:
        """Wait, within the settings' bound, for deliveries on their way; then everybody goes offline and
        the record is closed."""
        deadline = time.monotonic() + self.settings.chatsoak_drain_s
        crowd = Group()
        jobs = [crowd.spawn(person.drain, deadline) for person in list(self.online)]
        crowd.join()
        late = [job.value for job in jobs if job.successful() and job.value]
        failed = [job for job in jobs if not job.successful()]
        if late:
            self.notes.append(
                f"{self.assignment.process}: drain timed out for {len(late)} people, e.g. {late[0]}."
            )
        if failed:
            self.notes.append(
                f"{self.assignment.process}: {len(failed)} people could not be drained: {failed[0].exception!r}."
            )
        if isinstance(self.lane, Slots) and self.lane.overflow:
            self.notes.append(
                f"{self.assignment.process}: {self.lane.overflow:,} actions were due while all {self.settings.chatsoak_max_in_flight} "
                "slots were taken, and left late; their delay counts as latency."
            )
        if self.never_left:
            self.notes.append(
                f"{self.assignment.process}: {self.never_left:,} actions that were due had not begun when the load stopped."
            )
        self.close()

    def close(self) -> None:
        """Close the record; whoever is still online is left as they are."""
        for last_words in self.before_close:
            last_words()
        self._pulse.stop()
        self._hand_on_notices(last=True)
        if self.alarm is not None:
            self.alarm.close()
            self.alarm = None
        self.record.close()
        if self.record.error:
            self.notes.append(f"{self.assignment.process}: {self.record.error}")

    def _hand_on_notices(self, *, last: bool = False) -> None:
        self.watch.look_again()
        if self.seek is not None and (sought := self.watch.sought()):
            self.seek(sought)
        if self.tell_noticed is None:
            return
        if said := self.watch.notices.take(time.monotonic(), last=last):
            self.tell_noticed(self.assignment.process, said)

    def _departures(self) -> Departures:
        if not isinstance(self.lane, Slots):
            return Departures()
        return Departures(
            self.lane.take_latest_ns() / 1e6,
            self.lane.in_flight,
            self.lane.take_longest_wait_ns() / 1e6,
            self.lane.overflow,
            self.never_left,
        )

    def _open_schedule(self) -> Schedule:
        settings, assignment = self.settings, self.assignment
        attempts_share = settings.chatsoak_outsider_share * ATTEMPTS_SHARE
        sends_share = max(
            0.01, 1 - settings.chatsoak_history_share - settings.chatsoak_reconnect_share - attempts_share
        )
        return Schedule(
            RateCurve.parse(settings.chatsoak_arrival_rate).scaled(1 / sends_share),
            settings.chatsoak_arrivals,
            users=assignment.users,
            share=assignment.share,
            shares=assignment.shares,
            seed=settings.chatsoak_seed,
            start_ns=time.monotonic_ns(),
        )
