"""The verbs that a locustfile's users are written with, and how they begin, act and stop in good order."""

import logging
import time
import uuid
from collections.abc import Callable
from random import Random
from typing import ClassVar

import gevent
from gevent import GreenletExit
from locust import User
from locust.env import Environment
from locust.exception import StopUser

from analysis.record import Chat, Person
from analysis.record.codes import Outcome
from analysis.settings import Settings
from locustfiles.life.device import Device, Incoming
from locustfiles.life.login import CannotSignIn
from locustfiles.run.gate import Closed, Gate
from locustfiles.run.load import Load
from locustfiles.workload import OpenPace

logger = logging.getLogger(__name__)

PAGE = 50  # messages of one page of history
PAGES = 3  # how far somebody scrolls back
RETRY_S = (0.2, 1.0)  # pause before a send without an answer is repeated


class ChatUser(User):
    """A person who uses the chat. Subclasses say what they do.

    Attributes:
        load: the run of this process; set by the run's hooks before any user starts.
        person: who this user is.
    """

    abstract = True
    load: ClassVar[Load | None] = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._run: Load | None = None
        self._device: Device | None = None
        self._gate = Gate()  # of this user alone: Locust may stop one while the others go on
        self._due_ns = 0  # of the next send
        self._acts_ns = 0  # when the present action was due

    # The verbs

    def sign_in(self) -> None:
        """Become somebody of the pool and sign in."""
        # Nobody to be is no error: out of `on_start` Locust prints a traceback of everything but GreenletExit.
        load = type(self).load
        if load is None or load.gate.closed:
            raise GreenletExit
        person = load.pool.take()
        if person is None:
            logger.warning(
                "There are people for %d users in this process, and this one is too many: start the run with more "
                "--users, or set CHATSOAK_PEOPLE.",
                len(load.pool.people),
            )
            raise GreenletExit
        self._run = load
        self._pace = load.pace()
        self._device = Device(load, person, self.environment, self.on_message)
        self._do(self._device.sign_in)

    def go_online(self) -> None:
        """Open the socket, join every chat, and wait until the server has confirmed each of them."""
        self._do(self.device.go_online)
        if isinstance(self._pace, OpenPace):
            self._pace.begin(time.monotonic_ns())
            self.wait()  # type: ignore[no-untyped-call]  # the first action, too, is due when the schedule says so

    def write(self, chat: Chat, text: str) -> None:
        """Send a message. Without an answer, and sometimes for no reason, it is sent again under the same id."""
        due_ns, self._due_ns = self._due_ns or time.monotonic_ns(), 0
        self._carry_out(lambda: self._send(chat, text, due_ns))

    def look_at(self, chat: Chat) -> None:
        """Look at a chat: what others wrote there is read by that."""
        if self.device.memory[chat.id].unread:
            self._carry_out(lambda: self.device.mark_read(chat.id))

    def scroll_back(self, chat: Chat) -> None:
        """Read some pages of history, from the newest message backwards."""
        self._carry_out(lambda: self.device.browse(chat.id, PAGE, PAGES))

    def lose_connection(self) -> None:
        """The socket breaks; the device comes back after a while and reads what it missed."""
        self._carry_out(self.device.lose_connection)

    def trespass(self) -> None:
        """Try something that has to be refused."""
        self._carry_out(self.device.trespass)

    def acknowledge(self, message: Incoming) -> None:
        """Tell the server, soon and in the background, that `message` has arrived."""
        self.device.receipts.arrived(message.chat_id)

    def on_message(self, message: Incoming) -> None:
        """Called when somebody else's message arrives. It must not wait for anything."""

    # What the verbs are told

    @property
    def settings(self) -> Settings:
        """The run's settings."""
        return self.run_load.settings

    def pick_chat(self) -> Chat:
        """One of this person's chats, the busier ones more often."""
        return self.device.circle.pick(self.rng)

    def some_text(self) -> str:
        """Something to say."""
        return self.run_load.texts.next()

    def happens(self, share: float) -> bool:
        """True in `share` of all cases."""
        return self.rng.random() < share

    @property
    def is_outsider(self) -> bool:
        """Whether this person also tries what they may not."""
        return self.person.id in self.run_load.outsiders

    @property
    def rng(self) -> Random:
        """Source of this process's choices."""
        return self.run_load.rng

    @property
    def run_load(self) -> Load:
        """The run that this user belongs to."""
        if self._run is None:
            raise StopUser
        return self._run

    @property
    def device(self) -> Device:
        """This person's device."""
        if self._device is None:
            raise StopUser
        return self._device

    @property
    def person(self) -> Person:
        """Who this user is."""
        return self.device.person

    # How Locust drives it

    def wait_time(self) -> float:
        """Seconds until the next action is due."""
        now_ns = time.monotonic_ns()
        self._due_ns = self._acts_ns = self._pace.next_due_ns(now_ns)
        if self._run is None or self._run.alarm is None:
            return max(0.0, (self._due_ns - now_ns) / 1e9)
        self._run.alarm.wait_until(self._due_ns)  # more exactly than Locust could
        return 0.0

    def stop(self, force: bool = False) -> bool:
        """Let what is under way come to its end before Locust ends this user."""
        self._gate.close()
        if self._run is not None:
            self._gate.wait_idle(self._run.settings.chatsoak_request_timeout_s)
        return bool(super().stop(force))

    def on_stop(self) -> None:
        """Go offline, unless the whole run is stopping: then the drain does that for everybody."""
        if self._device is None or self._run is None or self._run.gate.closed:
            return
        self._device.drain(time.monotonic() + self._run.settings.chatsoak_drain_s)
        self._run.leave(self._pace)
        self._run.pool.give_back(self._device.person)
        self._device = None

    # Mechanism

    def _do(self, action: Callable[[], None]) -> None:
        """Do it now, unless the load or this user has stopped."""
        try:
            with self.run_load.gate.action(), self._gate.action():
                action()
        except (Closed, CannotSignIn) as why:
            if str(why):
                logger.warning("%s", why)
            raise GreenletExit from None

    def _carry_out(self, action: Callable[[], None]) -> None:
        """Do it now (closed workload), or in a slot of its own while this user keeps to the schedule (open)."""
        load, acts_ns = self.run_load, self._acts_ns

        def guarded() -> None:
            try:
                with load.gate.action(), self._gate.action():
                    action()
            except Closed:
                never_left()

        def never_left() -> None:
            if load.was_due(acts_ns):
                load.never_left += 1

        try:
            load.lane.carry_out(guarded, acts_ns or time.monotonic_ns())
        except GreenletExit:  # while it waited for a slot
            never_left()
            raise
        if load.gate.closed or self._gate.closed:
            raise StopUser

    def _send(self, chat: Chat, text: str, due_ns: int) -> None:
        settings = self.settings
        key = str(uuid.uuid4())
        messages = self.device.messages
        sent = messages.send(chat.id, text, key, due_ns, 0)
        newest = self.run_load.newest
        newest[chat.id] = max(newest[chat.id], sent.seq or 0)
        if not settings.chatsoak_field_client_generated_id:
            return
        if sent.outcome is Outcome.INFO:
            gevent.sleep(self.rng.uniform(*RETRY_S))
        elif not self.happens(settings.chatsoak_repeat_share):
            return
        messages.send(chat.id, text, key, time.monotonic_ns(), 1)
