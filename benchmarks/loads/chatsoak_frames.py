"""chatsoak: its Realtime socket, each event decoded, recorded and handed to the user.

With BENCH_TIMED=1 each of them is of a message that this process sent, so that its delivery shows in Locust's
statistics as well.
"""

import os
import uuid
from pathlib import Path

import gevent
from locust.env import Environment

from analysis.record import ProcessInfo, RecordWriter
from analysis.record.tables import LOAD_TABLES
from benchmarks.flood import FRAMES_OF_A_WRITE, WRITES
from benchmarks.loads.common import CHAT, PERSON, TOKEN
from locustfiles.clients import Ledger, RealtimeSocket, Row
from locustfiles.run.pulse import Pulse


class Device:
    """A user that remembers the newest seq, as a soak's does."""

    newest = 0

    def on_insert(self, row: Row) -> None:
        self.newest = max(self.newest, row.seq or 0)


def main() -> None:
    """Read until killed."""
    environment = Environment()
    environment.create_local_runner()
    device = Device()
    record = RecordWriter(Path(os.environ["BENCH_RECORD"]), LOAD_TABLES, ProcessInfo.here("local"))
    pulse = Pulse(record, lambda: 1)
    ledger = Ledger(record, environment.events.request.fire)
    if os.environ.get("BENCH_TIMED"):
        for number in range(1, FRAMES_OF_A_WRITE * WRITES + 1):
            ledger.note_leaving(str(uuid.UUID(int=number)))
    down = gevent.event.Event()
    socket = RealtimeSocket(
        url=os.environ["BENCH_URL"],
        api_key="anon",
        number=1,
        user_id=PERSON,
        ledger=ledger,
        heartbeat_s=3600,  # the flood answers none
        timeout_s=10,
        on_insert=device.on_insert,
        on_gap=lambda *_: None,
        on_down=lambda _: down.set(),
    )
    socket.open()
    socket.join([CHAT], TOKEN, 10)
    down.wait()
    pulse.stop()
    record.close()


if __name__ == "__main__":
    main()
