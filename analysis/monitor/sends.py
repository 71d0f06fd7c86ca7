"""The sends in the run's own record: while it is written, and, for the last sweep, those that no look has brought."""

from collections.abc import Container, Iterator
from pathlib import Path

from analysis.errors import RecordError
from analysis.monitor.answers import Answered
from analysis.monitor.looks import UnseenSend
from analysis.record import iter_batches, read_process
from analysis.record.codes import Outcome
from analysis.record.reader import Tail
from analysis.record.tables import SENDS

COLUMNS = ("user_id", "client_generated_id", "outcome", "message_id")


def unseen_sends(run_folder: Path, seen: Container[bytes]) -> list[UnseenSend]:
    """Sends that may be stored somewhere (ok or info) and whose message id is not among `seen`.

    The load writes its record while we read it; what is not there yet is no part of this run's verdict either,
    because the monitor is asked to finish after the load has closed its files.
    """
    found: dict[tuple[bytes, bytes | None], UnseenSend] = {}
    batches = (
        batch
        for folder in sorted((run_folder / "record").glob("*/"))
        for batch in iter_batches(folder, "sends", SENDS, COLUMNS)
    )
    for batch in batches:
        columns = batch.to_pydict()
        for sender, key, outcome, message in zip(
            columns["user_id"],
            columns["client_generated_id"],
            columns["outcome"],
            columns["message_id"],
            strict=True,
        ):
            if outcome != Outcome.FAIL and (message is None or message not in seen) and (message or key):
                found[sender, key or message] = UnseenSend(message, sender, key)
    return list(found.values())


class Sends:
    """The sends of the load processes of this machine, as they are written down."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder / "record"
        self._tails: dict[Path, tuple[str, Tail]] = {}

    def new(self) -> Iterator[Answered]:
        """Those that have come since the last time."""
        for folder in sorted(self._folder.glob("*/")):
            if folder not in self._tails:
                try:
                    clock = read_process(folder).info.clock_domain
                except RecordError:  # it has only just begun
                    continue
                self._tails[folder] = clock, Tail(folder, "sends", SENDS, Answered._fields[1:])
            clock, tail = self._tails[folder]
            for batch in tail.new_batches():
                yield from (Answered(clock, *row) for row in zip(*batch.to_pydict().values(), strict=True))

    def skip(self) -> None:
        """What there is by now is somebody else's."""
        for _ in self.new():
            pass
