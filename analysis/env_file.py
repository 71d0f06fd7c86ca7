"""The file that describes a target, such as ``.env.staging``: whether it can be read, and which names it sets."""

import difflib
import io
import os
from collections.abc import Collection
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from analysis.errors import ConfigurationError

OURS = "CHATSOAK_"
# Read elsewhere than from the settings: by the options of locust and of chatsoak stage.
OF_COMMANDS = frozenset({"CHATSOAK_ENV_FILE", "CHATSOAK_STAGE_FAULT", "CHATSOAK_STAGE_DATABASE_URL"})


def check(path: Path) -> None:
    """Make sure that `path`, when there is anything, can be read as settings.

    Raises:
        ConfigurationError: it is a folder, cannot be read, is no text, or has a line that is no setting.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(
            f"The env file {path} cannot be read ({error.strerror}); expected a file with a line NAME=VALUE "
            "for each setting, as .env.staging.example shows."
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"The env file {path} is no UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from None
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise ConfigurationError(
                f"The env file {path} cannot be understood from line {binding.original.line} on; expected a line NAME=VALUE for "
                "each setting, as .env.staging.example shows."
            )


def refuse_unknown(path: Path, known: Collection[str]) -> None:
    """Refuse names of ours that no part of chatsoak reads: a setting with a typo would be left at its default.

    Args:
        known: the settings, as they are named in the environment.

    Raises:
        ConfigurationError: `path` or the environment sets such a name.
    """
    places = ((str(path), set(dotenv_values(path))), ("the environment", set(os.environ)))
    for place, names in places:
        for name in sorted(names):
            if name.upper().startswith(OURS) and name.upper() not in {*known, *OF_COMMANDS}:
                alike = difflib.get_close_matches(name.upper(), known, 1)
                meant = f"did you mean {alike[0]}? " if alike else ""
                raise ConfigurationError(
                    f"{name}, set in {place}, is no setting of chatsoak; {meant}"
                    "Correct or remove it; docs/settings.md lists them all."
                )
