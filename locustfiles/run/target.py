"""The target of the load: a staging environment that is there already, or the embedded one, started here.

Both are described by the same settings; whoever needs them as a subprocess gets them by its environment.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydantic import SecretStr

from analysis.errors import TargetError
from analysis.settings import DEFAULT_ENV_FILE, Settings, app_url, load
from locustfiles.run.children import STAGE, Child, run_chatsoak

STAGE_START_S = 120.0  # a first start unpacks and initialises PostgreSQL
STAGE_STOP_S = 15.0


@dataclass(frozen=True, slots=True)
class Target:
    """What the load is aimed at.

    Attributes:
        host: URL of the app.
        embedded: it is the environment that chatsoak started by itself.
        stage: the process of the embedded environment, None for any other target.
        faults: what the embedded environment was told to do wrong, ``NAME=VALUE``.
    """

    host: str
    embedded: bool
    settings: Settings
    stage: Child | None = None
    faults: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Environment variables for a subprocess that works on this target. Holds secrets."""
        return {**os.environ, **{name.upper(): text for name, text in as_texts(self.settings).items()}}

    def for_workers(self) -> dict[str, str]:
        """The settings that travel to workers, by field name: secrets of the embedded environment only."""
        return as_texts(self.settings, secrets=self.embedded)

    def check_alive(self) -> None:
        """Raise `TargetError` when the embedded environment has ended."""
        if self.stage is not None and self.stage.code is not None:
            raise TargetError(f"The embedded staging environment has ended: {self.stage.last_words()}")

    def leave(self) -> None:
        """End the embedded environment; another target is left alone."""
        if self.stage is not None:
            self.stage.end(STAGE_STOP_S)


def reach(host: str, env_file: Path | None, overrides: dict[str, object]) -> Target:
    """The target behind `host`, checked.

    Raises:
        ChatsoakError: a setting is wrong, or the target is not as it must be.
    """
    url = app_url(host)
    settings = load(env_file or DEFAULT_ENV_FILE, overrides)
    target = Target(url, embedded=False, settings=settings)
    checked = run_chatsoak(["doctor", "--host", target.host], target.environment())
    if checked.code != 0:
        raise TargetError(checked.last_words or f"chatsoak doctor ended with code {checked.code}.")
    return target


def embed(env_file: Path | None, overrides: dict[str, object], faults: Sequence[str] = ()) -> Target:
    """Start the embedded staging environment, with these faults (``NAME=VALUE``).

    The default env file is left unread: it describes some other target.

    Raises:
        ChatsoakError: a setting is wrong, or it did not start.
    """
    command = [*STAGE, "--json", "--port", "0"]
    for fault in faults:
        command += ["--fault", fault]
    stage = Child("embedded staging environment", command, os.environ)
    try:
        ready = json.loads(stage.first_line(STAGE_START_S))
        own = {
            "next_public_supabase_url": ready["supabase_url"],
            "next_public_supabase_anon_key": ready["anon_key"],
            "supabase_service_role_key": ready["service_role_key"],
            "database_url": ready["database_url"],
        }
        settings = load(env_file or Path(os.devnull), {**overrides, **own})
    except BaseException:
        stage.end(STAGE_STOP_S)
        raise
    return Target(ready["app_url"], embedded=True, settings=settings, stage=stage, faults=tuple(faults))


def as_texts(settings: Settings, *, secrets: bool = True) -> dict[str, str]:
    """`settings` by field name, as texts that `load` understands; secrets in clear, or left out."""
    return {
        name: _text(value)
        for name, value in settings.model_dump(mode="python").items()
        if secrets or not isinstance(value, SecretStr)
    }


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.value) if isinstance(value, Enum) else str(value)
