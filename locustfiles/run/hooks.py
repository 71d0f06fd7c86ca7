"""Locust's events, each handed to the one object that owns the run. Importing this module registers it."""

import atexit
import logging
import sys
import time
from typing import Any

import gevent
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import STATE_SPAWNING, MasterRunner, WorkerRunner

from analysis.errors import ChatsoakError, OutputError
from analysis.settings import ShapeName, Transport
from analysis.standard_streams import go_nowhere, nobody_reads, not_all
from analysis.visible import in_a_line
from locustfiles.clients.interfaces import REST_TABLE
from locustfiles.life.user import ChatUser
from locustfiles.run.conductor import Conductor
from locustfiles.run.crew import Alone, Crew, Workers
from locustfiles.run.interrupts import Interrupts
from locustfiles.run.load import Load
from locustfiles.run.log import make_visible
from locustfiles.run.options import add_options, env_file_of, faults_of, overrides_of, refuse_idle
from locustfiles.run.progress import Piece, Progress, can_take_back, clock, keep_clear, waiting
from locustfiles.run.tab import add_tab
from locustfiles.run.target import Target, embed, reach
from locustfiles.run.worker import Worker
from locustfiles.shapes.shape import ChosenShape

logger = logging.getLogger(__name__)

WRONG_CONFIGURATION = 2
IN_TIME_S = 5.0  # a run that ends so shortly before its time is not called cut short


class Session:
    """One Locust process, from its init to its end: in web mode there may be many runs in it."""

    def __init__(self, environment: Environment) -> None:
        assert environment.parsed_options is not None
        self.environment = environment
        self._options = environment.parsed_options
        self._target: Target | None = None
        self._conductor: Conductor | None = None
        self._crew: Crew | None = None
        self._worker: Worker | None = None
        self._interrupts: Interrupts | None = None
        self._progress: Progress | None = None
        self._began_s: float | None = None  # on time.monotonic's clock, the newest run

    # Events, in the order in which Locust fires them

    def on_init(self) -> None:
        """Before any load, and before the web page opens: target and settings are there and right, or
        Locust ends with exit code 2 and one sentence."""
        make_visible()
        runner = self.environment.runner
        shaped = (self._options.chatsoak_shape or ShapeName.SOAK) != ShapeName.SOAK
        self._interrupts = Interrupts(terminate_too=bool(self._options.headless) and shaped)
        if isinstance(runner, WorkerRunner):
            forked = bool(self._options.processes)
            self._worker = Worker(runner, env_file_of(self._options), self._use, forked=forked)
            if can_take_back(sys.stderr):  # it may be the master's terminal, with the master's line
                keep_clear(sys.stderr)
            return
        self._crew = (
            Workers(runner, self._strained, self._noticed)
            if isinstance(runner, MasterRunner)
            else Alone(self._use)
        )
        if self.environment.web_ui is not None:
            add_tab(self.environment.web_ui, self._live_rows)
        try:
            self._aim(self._options.host)
            if self._options.headless or self._options.autostart:
                self._prepare()
        except ChatsoakError as error:
            self._refuse(error)
        except KeyboardInterrupt:
            self._leave()
            sys.exit(WRONG_CONFIGURATION)

    def on_test_start(self) -> None:
        """Before any user is spawned."""
        if self._worker is not None:
            return
        if self.environment.runner is not None:
            # Preparing takes seconds. Meanwhile Locust's page must not read "stopped" from the run before,
            # or it stops asking and never shows this one.
            self.environment.runner.update_state(STATE_SPAWNING)
        try:
            if self._target is None or self.environment.host != self._target.host:
                self._aim(self.environment.host)
            self._prepare()
            assert self._conductor is not None
            self._conductor.start(self._users_asked())
            self._began_s = time.monotonic()
            self._progress = Progress(sys.stderr, self._how_far)
        except ChatsoakError as error:
            logger.error("No run is started. %s", error)
            self.environment.process_exit_code = error.exit_code
            runner = self.environment.runner
            assert runner is not None
            gevent.spawn(runner.quit if self._options.headless else runner.stop)

    def on_test_stopping(self) -> None:
        """Users still live, so that their sockets can hear the last deliveries."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        if self._conductor is not None:
            self._conductor.end(self._cut_short())
            self._set_exit_code()
            if not self._options.headless:
                try:
                    self._say_closing()
                except OutputError as error:
                    logger.error("%s", error)

    def on_quitting(self) -> None:
        """The process is about to end, perhaps in the middle of a run; Locust reads the exit code next."""
        if self._worker is not None:
            self._worker.leave()
            self.environment.process_exit_code = self.environment.process_exit_code or 0
        self.on_test_stopping()
        self._leave()

    def on_quit(self) -> None:
        """Locust has printed its statistics, which fill the terminal: the closing summary, or again where the report is."""
        if self._conductor is None:
            return
        try:
            if not self._say_closing() and self._conductor.report is not None:
                _print(f"Report: {self._conductor.report}\n")
        except OutputError as error:
            logger.error("%s", error)
            sys.exit(error.exit_code)

    # What they need

    def _aim(self, host: str | None) -> None:
        """Take `host` as the target; none means the embedded staging environment."""
        assert self._crew is not None
        self._leave()
        env_file, overrides = env_file_of(self._options), overrides_of(self._options)
        faults = faults_of(self._options, host)
        with waiting("Examining the target" if host else "Starting the embedded staging environment"):
            self._target = reach(host, env_file, overrides) if host else embed(env_file, overrides, faults)
        refuse_idle(overrides, self._target.settings)
        self._conductor = Conductor(self._target, self._crew)
        self.environment.host = self._options.host = self._target.host
        if (shape := self._shape()) is not None:
            shape.runner = self.environment.runner
            self.environment.shape_class = shape
        kind = f" (embedded staging environment, faults: {', '.join(faults) or 'none'})" if not host else ""
        logger.info("Target: %s%s", self._target.host, kind)

    def _shape(self) -> ChosenShape | None:
        """The shape asked for; a soak needs none."""
        assert self._target is not None
        name = self._target.settings.chatsoak_shape
        return None if name is ShapeName.SOAK else ChosenShape(name)

    def _prepare(self) -> None:
        assert self._conductor is not None
        self._conductor.prepare(self._users_asked())

    def _live_rows(self) -> list[dict[str, str]]:
        """The newest run for the page's tab."""
        if self._conductor is None or self._target is None:
            return []
        return self._conductor.live.rows(self._name_of_sends(), self.environment.stats)

    def _say_closing(self) -> bool:
        """Print the newest run's closing summary, once; False = there is none to print."""
        if self._conductor is None or not self._conductor.closing:
            return False
        closing, self._conductor.closing = self._conductor.closing, ""
        _print(closing)
        return True

    def _how_far(self, seconds: float) -> list[Piece]:
        """The run so far, in a line."""
        assert self._conductor is not None
        assert self._target is not None
        runner = self.environment.runner
        pieces = self._conductor.live.pieces(
            self._name_of_sends(),
            self.environment.stats,
            runner.user_count if runner is not None else 0,
            self._target.settings.chatsoak_target_send_p95_ms,
        )
        limit_s = self._run_time_s()
        told = f"{clock(seconds)} so far" if limit_s is None else f"{clock(max(0.0, limit_s - seconds))} left"
        return [Piece(told), *pieces]

    def _run_time_s(self) -> float | None:
        """How long the run is to last; None = until somebody ends it."""
        run_time = self._options.run_time
        return run_time if isinstance(run_time, int | float) and run_time > 0 else None

    def _cut_short(self) -> list[str]:
        """A sentence where the run ends before its time, by a Ctrl-C, say: its figures are those of a shorter run."""
        limit_s = self._run_time_s()
        if limit_s is None or self._began_s is None:
            return []
        lasted_s = time.monotonic() - self._began_s
        if lasted_s > min(limit_s - IN_TIME_S, 0.9 * limit_s):
            return []
        return [f"The run was ended early, after {clock(lasted_s)} of the {clock(limit_s)} of its run time."]

    def _name_of_sends(self) -> str:
        assert self._target is not None
        settings = self._target.settings
        rest = settings.chatsoak_transport is Transport.REST
        return REST_TABLE if rest else settings.chatsoak_messages_path

    def _users_asked(self) -> int:
        runner = self.environment.runner
        return max(int(self._options.num_users or 1), runner.target_user_count if runner is not None else 0)

    def _use(self, load: Load) -> None:
        ChatUser.load = load
        if self._worker is None:
            load.strain.tell = self._strained
            load.tell_noticed = self._noticed

    def _strained(self, process: str, seconds: int, words: str) -> None:
        if self._conductor is not None:
            self._conductor.live.strained(process, seconds, words)

    def _noticed(self, process: str, said: list[dict[str, Any]]) -> None:
        """A load process has new findings, or more of them than it names."""
        if self._conductor is None:
            return
        for one in said:
            if words := self._conductor.live.hear(one):
                criterion = one["finding"].get("criterion")
                logger.warning("%s: %s", f"{process}, {criterion}" if criterion else process, words)

    def _set_exit_code(self) -> None:
        if self._conductor is not None and self._conductor.verdict_code is not None:
            self.environment.process_exit_code = self._conductor.verdict_code

    def _refuse(self, error: ChatsoakError) -> None:
        sys.stderr.write(f"chatsoak: {in_a_line(str(error))}\n")
        self._leave()
        if isinstance(self.environment.runner, MasterRunner):
            self.environment.runner.quit()  # tell workers that are already there
        sys.exit(error.exit_code)

    def _leave(self) -> None:
        if self._target is not None:
            self._target.leave()
            self._target = None


@events.init_command_line_parser.add_listener
def _on_init_command_line_parser(parser: LocustArgumentParser, **_: Any) -> None:
    add_options(parser)


@events.init.add_listener
def _on_init(environment: Environment, **_: Any) -> None:
    session = Session(environment)
    environment.events.test_start.add_listener(lambda **_: session.on_test_start())
    environment.events.test_stopping.add_listener(lambda **_: session.on_test_stopping())
    # Added after the runner's own listener and fired in reverse: ours comes first, and a worker can still
    # tell the master that its record is whole before Locust says good-bye.
    environment.events.quitting.add_listener(lambda **_: session.on_quitting())
    environment.events.quit.add_listener(lambda **_: session.on_quit())
    atexit.register(session._leave)
    session.on_init()


def _print(text: str) -> None:
    """Print it; where nobody reads it any more it goes nowhere.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        descriptor = sys.stdout.fileno()
        unread = nobody_reads(descriptor, error)
        # Python would try what is left once more when it ends, and end with 120.
        go_nowhere(descriptor)
        if not unread:
            raise OutputError(not_all(error)) from None
