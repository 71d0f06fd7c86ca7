"""``chatsoak prune``: says what of the old runs would go, asks, and removes it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from analysis.errors import ConfigurationError, RecordError
from analysis.history import retention
from analysis.history.retention import Plan
from analysis.report import index
from analysis.report.numbers import listed, plural
from analysis.visible import in_a_line

UNITS = {"h": "hours", "d": "days", "w": "weeks"}
MIB = 1 << 20


def run(
    reports_dir: Path,
    *,
    keep_records: int | None,
    keep_runs: int | None,
    older_than: str | None,
    dry_run: bool,
    as_json: bool,
    may: Callable[[str], bool],
) -> None:
    """Remove old runs and records from `reports_dir`, once `may` has agreed to what is going to be removed.

    Raises:
        ConfigurationError: nothing says what to keep, or `older_than` is no age.
        RecordError: something cannot be removed, or the list of runs not be written.
    """
    if keep_records is None and keep_runs is None:
        raise ConfigurationError(
            "Nothing says what to keep: give --keep-records N (older runs lose their record and keep their report), "
            "--keep-runs N (older runs go altogether), or both."
        )
    age = None if older_than is None else parse_age(older_than)
    made = retention.plan(
        reports_dir, datetime.now(UTC), keep_records=keep_records, keep_runs=keep_runs, older_than=age
    )
    if as_json:
        Console().out(json.dumps(_as_json(made, dry_run), indent=1), highlight=False)
    else:
        _tell(Console(), made)
    if dry_run or (made.removals and not may("Remove these?")):
        return
    for removal in made.removals:
        retention.carry_out(removal)
    if reports_dir.is_dir():
        try:
            index.write_index(reports_dir)
        except OSError as error:
            raise RecordError(f"The list of runs in {reports_dir} cannot be written: {error}.") from error


def parse_age(text: str) -> timedelta:
    """An age such as 30d, 12h or 8w.

    Raises:
        ConfigurationError: it is none.
    """
    found = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if found is None:
        raise ConfigurationError(
            f"--older-than {text!r} is no age: expected a number and h, d or w, such as 30d."
        )
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _tell(console: Console, made: Plan) -> None:
    for removal in made.removals:
        what = "run" if removal.whole else "record"
        size = f"{removal.frees_bytes / MIB:,.1f} MiB"
        console.print(Text(f"remove the {what} of {in_a_line(removal.folder.name)} ({size})"), soft_wrap=True)
    for folder, reason in made.spared:
        console.print(Text(in_a_line(f"leave {folder.name}: it {reason}")), soft_wrap=True)
    whole = sum(removal.whole for removal in made.removals)
    freed = sum(removal.frees_bytes for removal in made.removals) / MIB
    records = len(made.removals) - whole
    going = [plural(count, noun) for count, noun in ((whole, "run"), (records, "record")) if count]
    told = f"{listed(going)}, {freed:,.1f} MiB in all." if going else "Nothing is to be removed."
    console.print(Text(told), soft_wrap=True)


def _as_json(made: Plan, dry_run: bool) -> dict[str, object]:
    return {
        "schema": 1,
        "dry_run": dry_run,
        "removals": [
            {
                "run": removal.folder.name,
                "what": "run" if removal.whole else "record",
                "bytes": removal.frees_bytes,
            }
            for removal in made.removals
        ],
        "spared": [{"run": folder.name, "reason": reason} for folder, reason in made.spared],
    }
