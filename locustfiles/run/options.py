"""chatsoak's own options of the ``locust`` command, and the settings that they override.

Secrets have no option: a command line can be read by everybody on the machine. Values stay texts here: the
settings judge them, with one sentence for a wrong one wherever it came from.
"""

from argparse import Namespace
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from locust.argument_parser import LocustArgumentParser

from analysis.errors import ConfigurationError
from analysis.settings import DEFAULT_ENV_FILE, Arrivals, Settings, ShapeName, Workload

# Option's attribute → field of Settings.
_OVERRIDES = {
    "chatsoak_workload": "chatsoak_workload",
    "chatsoak_think_time": "chatsoak_think_time_s",
    "chatsoak_arrivals": "chatsoak_arrivals",
    "chatsoak_arrival_rate": "chatsoak_arrival_rate",
    "chatsoak_shape": "chatsoak_shape",
    "chatsoak_people": "chatsoak_people",
    "chatsoak_drain": "chatsoak_drain_s",
}
_OPEN_ONLY = ("chatsoak_arrival_rate", "chatsoak_arrivals")


def add_options(parser: LocustArgumentParser) -> None:
    """Add chatsoak's options to Locust's command line. They are fixed for all runs of a web page."""
    group = parser.add_argument_group(
        "chatsoak", "With no --host the embedded staging environment is started."
    )

    def add(
        flag: str,
        env_var: str,
        text: str,
        *,
        metavar: str,
        action: str = "store",
    ) -> None:
        group.add_argument(  # of a group: Locust's page shows the parser's own options only
            flag, dest="chatsoak_" + flag[2:].replace("-", "_"), help=text, metavar=metavar,
            default=None, env_var=env_var, action=action,
        )  # fmt: skip

    add(
        "--env-file",
        "CHATSOAK_ENV_FILE",
        f"File that describes the target (default {DEFAULT_ENV_FILE} when a host is given)",
        metavar="<filename>",
    )
    add(
        "--workload",
        "CHATSOAK_WORKLOAD",
        "closed: wait for the answer, then think; open: send on schedule",
        metavar=_any_of(Workload),
    )
    add(
        "--think-time",
        "CHATSOAK_THINK_TIME_S",
        "Mean pause of a user between actions, closed workload (default 1)",
        metavar="<seconds>",
    )
    add(
        "--arrivals",
        "CHATSOAK_ARRIVALS",
        "How actions are spread in time, open workload (default poisson: at random)",
        metavar=_any_of(Arrivals),
    )
    add(
        "--arrival-rate",
        "CHATSOAK_ARRIVAL_RATE",
        "Sends a second over all users, open workload (default 10); or over time: 0s:10,60s:50,120s:50,180s:5",
        metavar="<number>",
    )
    add(
        "--shape",
        "CHATSOAK_SHAPE",
        "How the number of users moves up to --users (default soak: they start and stay)",
        metavar=_any_of(ShapeName),
    )
    add(
        "--people",
        "CHATSOAK_PEOPLE",
        "People to create; fewer than users: as many as users (default)",
        metavar="<number>",
    )
    add(
        "--drain",
        "CHATSOAK_DRAIN_S",
        "Longest wait for deliveries after the last send (default 15)",
        metavar="<seconds>",
    )
    add(
        "--stage-fault",
        "CHATSOAK_STAGE_FAULT",
        "The embedded staging environment misbehaves so, see chatsoak stage --help; may be repeated",
        metavar="<name=value>",
        action="append",
    )


def _any_of(choices: type[StrEnum]) -> str:
    return "{" + ",".join(choices) + "}"


def env_file_of(options: Namespace) -> Path | None:
    """The file given by ``--env-file``, or None."""
    return Path(options.chatsoak_env_file) if options.chatsoak_env_file else None


def overrides_of(options: Namespace) -> dict[str, object]:
    """Settings given on the command line or by an option's variable, by field name; not checked yet."""
    given = {field: getattr(options, name, None) for name, field in _OVERRIDES.items()}
    return {field: value for field, value in given.items() if value is not None}


def refuse_idle(overrides: Mapping[str, object], settings: Settings) -> None:
    """Refuse what was asked for and would do nothing: somebody who names a rate means an open workload.

    Raises:
        ConfigurationError: `overrides` has a setting of the open workload, and `settings` a closed one.
    """
    idle = [name for name in _OPEN_ONLY if name in overrides]
    if idle and settings.chatsoak_workload is Workload.CLOSED:
        raise ConfigurationError(
            f"{idle[0].upper()} is {overrides[idle[0]]}, and acts in an open workload only, while CHATSOAK_WORKLOAD is closed; "
            "give --workload open too, or leave it out."
        )


def faults_of(options: Namespace, host: str | None) -> list[str]:
    """Faults for the embedded staging environment, ``NAME=VALUE``.

    Raises:
        ConfigurationError: there is a `host`, which would not hear of them.
    """
    faults: list[str] = options.chatsoak_stage_fault or []
    if faults and host:
        raise ConfigurationError(
            f"--stage-fault {faults[0]}: it acts on the embedded staging environment only, and a host is "
            "given; leave one of them out, or give the fault to chatsoak stage."
        )
    return faults
