"""Memory of a load process: does it stay flat while it records as fast as it can, and how large do buffers get?"""

import statistics
import sys
import tempfile
import time
import tracemalloc
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analysis.record import ProcessInfo, RecordWriter
from analysis.record.tables import LOAD_TABLES, UUID
from analysis.record.writer import ROWS_OF_FIXED_SIZE, ROWS_WITH_TEXT
from benchmarks.cores import Cores, Pinned
from benchmarks.frames import FloodProcess
from benchmarks.nginx import Nginx
from benchmarks.sends import locust

WARMUP_S = 15.0
WINDOW_S = 60.0
LOOK_S = 0.5
FLAT_MIB = 8.0  # growth that noise of the allocator explains
BUFFERS_TARGET_MIB = 64.0
LONGEST_TEXT = 10_000  # characters, as the app allows
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Course:
    """How the memory of one load went, MiB.

    Attributes:
        count: what it has sent or received while it was watched.
        early: median over the first third.
        late: median over the last third.
    """

    name: str
    count: int
    early: float
    late: float
    peak: float

    @property
    def is_flat(self) -> bool:
        return self.late - self.early <= FLAT_MIB


def run(cores: Cores, log: Path) -> list[Course]:
    """Watch a load that only sends and one that only receives, each at its full speed."""
    with Nginx(cores.server) as nginx:
        sends = [*locust(nginx.url), "benchmarks/loads/chatsoak_sends.py"]
        sending = _watch("sends", sends, nginx.url, nginx.requests, cores, log)
    with FloodProcess(cores.server) as flood:
        frames = [sys.executable, "-m", "benchmarks.loads.chatsoak_frames"]
        receiving = _watch("events", frames, flood.url, flood.frames, cores, log)
    return [sending, receiving]


def _watch(
    name: str, command: list[str], url: str, count: Callable[[], int], cores: Cores, log: Path
) -> Course:
    with tempfile.TemporaryDirectory(prefix="chatsoak-bench-") as folder:
        env = {"BENCH_URL": url, "BENCH_RECORD": f"{folder}/record"}
        with Pinned(command, cores.load, env=env, log=log) as load:
            time.sleep(WARMUP_S)
            before = count()
            seen = []
            end = time.monotonic() + WINDOW_S
            while time.monotonic() < end:
                seen.append(load.rss_bytes() / MIB)
                time.sleep(LOOK_S)
            done = count() - before
    third = len(seen) // 3
    course = Course(name, done, statistics.median(seen[:third]), statistics.median(seen[-third:]), max(seen))
    print(f"  {done:>12,} {name}: {course.early:.1f} → {course.late:.1f} MiB", flush=True)
    return course


def fullest_buffers_mib() -> float:
    """Memory of a record's buffers when each is one row short of being written, texts as long as they may be."""
    with tempfile.TemporaryDirectory(prefix="chatsoak-bench-") as folder:
        record = RecordWriter(Path(folder) / "record", LOAD_TABLES, ProcessInfo.here("local"))
        tracemalloc.start()
        for name, schema in LOAD_TABLES.items():
            add = record.adder(name)
            varies = any(str(field.type).startswith(("string", "list")) for field in schema)
            for _ in range((ROWS_WITH_TEXT if varies else ROWS_OF_FIXED_SIZE) - 1):
                add(tuple(_largest(str(field.type), field.type == UUID) for field in schema))
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        buffered = record.buffered_rows
        record.close()
    assert buffered
    return used / MIB


def _largest(type_name: str, is_id: bool) -> object:
    """A value as large as the column's values get, and shared with no other row."""
    if is_id:
        return str(uuid.uuid4())
    if type_name == "string":
        return uuid.uuid4().hex + "ب" * LONGEST_TEXT  # two bytes a character
    if type_name.startswith("list"):
        ids = "int" not in type_name
        return [str(uuid.uuid4()) if ids else 2**40 + n for n in range(100)]
    return time.monotonic_ns()


def table(courses: list[Course], buffers_mib: float) -> str:
    """A markdown table."""
    lines = [
        "| one load process | recorded meanwhile | resident memory, first third | last third | peak | flat |",
        "|---|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {one.name} at full speed, {WINDOW_S:.0f} s | {one.count:,} | {one.early:.1f} MiB | {one.late:.1f} MiB "
        f"| {one.peak:.1f} MiB | {'yes' if one.is_flat else 'NO'} |"
        for one in courses
    ]
    lines += [
        "",
        (
            f"Record buffers, every one as full as it gets and every text {LONGEST_TEXT:,} characters long: "
            f"{buffers_mib:.1f} MiB (bound: {BUFFERS_TARGET_MIB:.0f} MiB)."
        ),
    ]
    return "\n".join(lines)
