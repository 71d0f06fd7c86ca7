"""What a load process is told before its users start; the master sends it to its workers as plain data."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from analysis.record import Chat, Person


@dataclass(frozen=True, slots=True)
class Assignment:
    """The part of one load process in a run.

    Attributes:
        folder: of the run, ``reports/<run-id>``; a worker on another machine writes to its own disk.
        process: its name in the record.
        share: it plays every `shares`-th person, beginning with this one.
        users: most users of the whole run; the open workload's rate is divided among them.
        settings: the owner's settings by field name, so that all processes do the same. Secrets are among
            them for the embedded environment only; those of another target do not travel.
        leader: clock domain of the process that leads the run; empty when it is this one.
    """

    run_id: str
    folder: str
    host: str
    process: str
    share: int
    shares: int
    users: int
    people: tuple[Person, ...]
    chats: tuple[Chat, ...]
    settings: dict[str, str]
    leader: str = ""

    def for_process(self, process: str, share: int, shares: int) -> "Assignment":
        """The same run for another load process."""
        return replace(self, process=process, share=share, shares=shares)

    def as_message(self) -> dict[str, Any]:
        """As plain data for Locust's messages."""
        return asdict(self)

    @classmethod
    def from_message(cls, data: dict[str, Any]) -> "Assignment":
        """Read back what `as_message` made."""
        people = tuple(Person(**person) for person in data["people"])
        chats = tuple(Chat(**{**chat, "participants": tuple(chat["participants"])}) for chat in data["chats"])
        return cls(**{**data, "people": people, "chats": chats})
