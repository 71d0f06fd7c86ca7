"""``run.json`` and ``process.json``: what a run is, and who wrote which part of its record."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.errors import RecordError

RUN_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the pool: an account of Supabase Auth. The password is never written down."""

    id: str
    email: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat of the run. `weight` is how often it is chosen, relative to the others."""

    id: str
    type: str  # direct | group
    participants: tuple[str, ...]
    weight: float


@dataclass(slots=True)
class Run:
    """The content of ``run.json``. Times are UTC, ISO 8601 with ``Z``."""

    run_id: str
    host: str
    embedded: bool
    settings: dict[str, Any]  # masked
    versions: dict[str, str]
    people: list[Person] = field(default_factory=list)
    chats: list[Chat] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)  # load processes whose record is expected
    started_at: str | None = None
    ended_at: str | None = None  # after the drain; null: the run was cut off
    phases: list[dict[str, Any]] = field(default_factory=list)  # {"name", "at_ns"}: load, stopping, drained
    notes: list[str] = field(default_factory=list)  # e.g. "drain timed out with 3 deliveries open"
    faults: list[str] = field(default_factory=list)  # that the stage was told to make, NAME=VALUE
    schema: int = RUN_SCHEMA

    def write(self, folder: Path) -> None:
        """Write ``run.json`` in `folder`, replacing it whole, so that a reader never sees half of it."""
        write_json(folder / "run.json", asdict(self))


def read_run(folder: Path) -> Run:
    """The run whose record lies in `folder`.

    Raises:
        RecordError: there is no readable ``run.json`` in `folder`, or it is of a newer schema.
    """
    path = folder / "run.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(
            f"{folder} holds no run: {path.name} is missing; give a folder below reports/, e.g. reports/latest."
        ) from None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read: {error}.") from error
    if not isinstance(data, dict) or "schema" not in data:
        raise RecordError(f"{path} is not a run: it has no schema; give a folder below reports/.")
    if data["schema"] != RUN_SCHEMA:
        raise RecordError(
            f"{path} has schema {data['schema']!r}; this chatsoak reads schema {RUN_SCHEMA}: "
            "use the version that wrote it."
        )
    try:
        data["people"] = [Person(**person) for person in data["people"]]
        data["chats"] = [
            Chat(**{**chat, "participants": tuple(chat["participants"])}) for chat in data["chats"]
        ]
        return Run(**data)
    except (KeyError, TypeError) as error:
        raise RecordError(f"{path} is not a run as this chatsoak writes it: {error!r}.") from error


def new_run_id(now: datetime | None = None) -> str:
    """A name for a run that sorts by its UTC start, e.g. ``20261123T160000Z-3fa9``."""
    return f"{(now or datetime.now(UTC)).strftime('%Y%m%dT%H%M%SZ')}-{secrets.token_hex(2)}"


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace `path` by `data` as JSON, atomically within its folder."""
    temporary = path.with_suffix(path.suffix + ".part")
    text = json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n"
    # A lone surrogate has no UTF-8; Python's escape of one is also JSON's.
    temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    temporary.replace(path)
