"""Which acknowledged sends has no look brought? Read from the run's own record, for the last sweep."""

from collections.abc import Container
from pathlib import Path

from analysis.monitor.looks import UnseenSend
from analysis.record import iter_batches
from analysis.record.codes import Outcome
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
