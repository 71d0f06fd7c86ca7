"""The ``chatsoak`` command: reads the command line, calls the rooms, and turns errors into exit codes.

0: it went well. 1: a criterion failed (``report``), or something got worse (``compare``). 2: the command line, the configuration or the target is wrong,
or what is to be printed cannot be written. 3: inconclusive (``report``, ``compare``). 70: chatsoak itself is at fault. A reader who leaves early
changes nothing of that.
Nothing is imported before the subcommand that needs it runs.
"""

import asyncio
import json as json_
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from analysis.errors import ChatsoakError, ConfigurationError
from analysis.standard_streams import standard_streams
from analysis.visible import in_a_line, visible

app = typer.Typer(
    name="chatsoak",
    help="Soak-tests a Supabase chat app on staging and accounts for every message. "
    "A run itself is started by locust: locust -f locustfiles/chat.py",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EnvFile = Annotated[
    Path,
    typer.Option("--env-file", metavar="FILE", help="Settings of the target; the environment wins over it."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]

MinPercent = Annotated[
    float, typer.Option(min=0, metavar="N", help="A smaller change, in per cent, does not matter.")
]
MinMs = Annotated[
    float, typer.Option(min=0, metavar="N", help="A smaller change of a latency does not matter.")
]

DEFAULT_ENV_FILE = Path(".env.staging")
CRASHED = 70  # EX_SOFTWARE of sysexits.h; Python's own 1 would say that a criterion failed
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@app.command(epilog="Example: chatsoak doctor --host https://staging.example.com")
def doctor(
    host: Annotated[str, typer.Option(metavar="URL", help="The app's URL, as given to locust --host.")],
    env_file: EnvFile = DEFAULT_ENV_FILE,
    json: Json = False,
) -> None:
    """Check that a target is as it must be, before any load. Changes nothing."""
    from analysis.settings import load
    from analysis.target import preflight

    checks = asyncio.run(preflight.examine(host, load(env_file)))
    if json:
        _print_json({"host": host, "checks": [check.__dict__ for check in checks]})
    else:
        for check in checks:
            _print(f"ok  {check.check}: {check.detail}")


@app.command(epilog="Example: chatsoak seed --people 50")
def seed(
    people: Annotated[
        int, typer.Option(min=2, max=10_000, metavar="N", help="How many people there should be.")
    ],
    env_file: EnvFile = DEFAULT_ENV_FILE,
    progress_every: Annotated[
        float,
        typer.Option(
            min=0.1, metavar="S", help="Where there is no terminal, say how far it is every S seconds."
        ),
    ] = 15.0,
    json: Json = False,
) -> None:
    """Create people (those there already are reused) and fresh chats between them."""
    from analysis.progress import Progress, error_console
    from analysis.settings import load
    from analysis.target.seed import plant

    with Progress(error_console(), progress_every) as progress:
        pool = asyncio.run(plant(load(env_file), people, _say, progress.so_far))
    if json:
        _print_json(pool)
    else:
        _print(f"{len(pool['people'])} people and {len(pool['chats'])} chats are ready.")


@app.command(epilog="Example: chatsoak clean --yes")
def clean(env_file: EnvFile = DEFAULT_ENV_FILE, yes: Yes = False) -> None:
    """Remove the people that chatsoak has created, with their chats and messages."""
    from analysis.progress import Progress, error_console
    from analysis.settings import load
    from analysis.target.clean import remove

    asyncio.run(remove(load(env_file), _say, _permission(yes), lambda: Progress(error_console())))


@app.command(epilog="Example: chatsoak migrate --status")
def migrate(
    env_file: EnvFile = DEFAULT_ENV_FILE,
    status: Annotated[bool, typer.Option("--status", help="Only say which migrations are in place.")] = False,
    to: Annotated[int, typer.Option(min=1, max=3, metavar="N", help="Apply migrations up to this one.")] = 3,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Apply the migrations of sql/ in order, and verify each."""
    from analysis.settings import load
    from analysis.target import migrations

    settings = load(env_file)
    if not status:
        asyncio.run(migrations.apply(settings, to, _say, _permission(yes)))
    states = asyncio.run(migrations.states(settings))
    if json:
        _print_json([state.as_dict() for state in states])
    else:
        for state in states:
            _print(str(state))


@app.command(epilog="Example: chatsoak monitor --run reports/latest")
def monitor(
    run: Annotated[Path, typer.Option(metavar="DIR", help="The run's folder, with its run.json.")],
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Go on where a monitor of this run was killed.")
    ] = False,
    env_file: EnvFile = DEFAULT_ENV_FILE,
) -> None:
    """Watch the database during a run. Locust starts this by itself; a line `finish` on stdin ends it."""
    from analysis.monitor.process import watch
    from analysis.settings import load

    asyncio.run(watch(run, load(env_file), take_over=take_over))


@app.command(epilog="Example: chatsoak report latest")
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder or id, or `latest`.")],
    env_file: EnvFile = DEFAULT_ENV_FILE,
    json: Json = False,
) -> None:
    """Judge a run from its record and write its report. Exit code: 0 pass, 1 fail, 3 inconclusive."""
    from analysis.report import command
    from analysis.settings import reports_dir

    raise typer.Exit(command.run(run, json, reports_dir(env_file)))


@app.command(epilog="Example: chatsoak compare baseline latest --html compare.html")
def compare(
    a: Annotated[
        Path, typer.Argument(metavar="A", help="The older run: its folder or id, `latest` or `baseline`.")
    ],
    b: Annotated[Path, typer.Argument(metavar="B", help="The run in question, named alike.")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page.")] = None,
    min_percent: MinPercent = 5.0,
    min_ms: MinMs = 1.0,
    anyway: Annotated[bool, typer.Option("--anyway", help="Compare even where the loads differ.")] = False,
    env_file: EnvFile = DEFAULT_ENV_FILE,
    json: Json = False,
) -> None:
    """Say what run B is worse in than run A. Exit code: 0 no regression, 1 a regression, 3 nobody can say."""
    from analysis.history.comparison import Bounds
    from analysis.report import compare as command
    from analysis.settings import reports_dir

    bounds = Bounds(min_percent, min_ms)
    reports = reports_dir(env_file)
    raise typer.Exit(command.run(a, b, reports, bounds, anyway=anyway, as_json=json, html=html))


@app.command(epilog="Example: chatsoak baseline latest")
def baseline(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="The run to pin; without it, say which is.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Pin none any more.")] = False,
    env_file: EnvFile = DEFAULT_ENV_FILE,
) -> None:
    """Pin the run that later ones are compared with; it is never pruned."""
    from analysis.report import baseline as command
    from analysis.settings import reports_dir

    command.run(run, reports_dir(env_file), none=none)


@app.command(epilog="Example: chatsoak prune --keep-records 14 --keep-runs 365")
def prune(
    keep_records: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Runs older than the newest N lose their record.")
    ] = None,
    keep_runs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Runs older than the newest N go altogether.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Leave what is younger alone: 12h, 30d, 8w.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    env_file: EnvFile = DEFAULT_ENV_FILE,
    json: Json = False,
    yes: Yes = False,
) -> None:
    """Remove old records and runs. Never the baseline, the latest, a run under way, or what is no run."""
    from analysis.report import prune as command
    from analysis.settings import reports_dir

    command.run(
        reports_dir(env_file),
        keep_records=keep_records,
        keep_runs=keep_runs,
        older_than=older_than,
        dry_run=dry_run,
        as_json=json,
        may=_permission(yes),
    )


@app.command(context_settings=PASSED_ON)
def stage(context: typer.Context) -> None:
    """Run the embedded staging environment on its own. See `chatsoak stage --help` for its options."""
    os.execv(sys.executable, [sys.executable, "-m", "staging", *context.args])  # noqa: S606 - our own module


def main() -> None:
    """Entry point of the command."""
    with standard_streams() as printed:
        try:
            try:
                app(standalone_mode=True)
            finally:
                printed.must_be_written()
        except ChatsoakError as error:
            _say(in_a_line(str(error)))
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except Exception:  # noqa: BLE001 - whatever it is, it is ours, and no verdict on the target
            _say(traceback.format_exc().rstrip())
            _say("This is a fault of chatsoak. Please report it with the lines above.")
            sys.exit(CRASHED)


def _permission(given: bool) -> Callable[[str], bool]:
    """Answers whether something may be changed: `given` beforehand, or asked on the terminal."""

    def may(question: str) -> bool:
        if given:
            return True
        if not (sys.stdin and sys.stdin.isatty()):
            raise ConfigurationError(
                "Nothing was changed: there is no terminal to ask on; say --yes to go on."
            )
        try:
            return typer.confirm(question, err=True)
        except typer.Abort:  # Ctrl-C or Ctrl-D at the question; 1 would say that a criterion failed
            raise typer.Exit(INTERRUPTED) from None

    return may


def _print_json(data: object) -> None:
    typer.echo(json_.dumps(data))


def _print(text: str) -> None:
    typer.echo(visible(text))


def _say(text: str) -> None:
    typer.echo(visible(text), err=True)


if __name__ == "__main__":
    main()
