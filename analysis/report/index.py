"""``reports/index.html``, which lists every run, and ``reports/latest``, which points at the newest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.report import headline, numbers
from analysis.report.page import environment

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Row:
    """A run in the list. `outcome` is None for one that was not judged."""

    name: str
    outcome: str | None
    started_at: str | None
    host: str
    avg: str
    p95: str
    sends: str
    link: str | None


def runs(reports_dir: Path) -> list[Path]:
    """The folders of all runs below `reports_dir`, the newest first."""
    found = [
        folder
        for folder in reports_dir.iterdir()
        if not folder.is_symlink() and (folder / "run.json").exists()
    ]
    return sorted(found, key=lambda folder: folder.name, reverse=True)


def write_index(reports_dir: Path) -> Path:
    """Write the list anew, and return its path."""
    path = reports_dir / "index.html"
    page = (
        environment()
        .get_template("index.html.j2")
        .render(rows=[_row(folder) for folder in runs(reports_dir)])
    )
    replace_text(path, page)
    return path


def point_latest(reports_dir: Path) -> None:
    """Make ``latest`` point at the newest run; whoever reads it meanwhile sees the old or the new one."""
    found = runs(reports_dir)
    if not found:
        return
    link = reports_dir / LATEST
    temporary = reports_dir / f".{LATEST}.part"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(found[0].name, target_is_directory=True)
    temporary.replace(link)


def replace_text(path: Path, text: str) -> None:
    """Write `text` to `path` so that a reader never sees half of it."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _row(folder: Path) -> Row:
    verdict = _verdict(folder)
    if verdict is None:
        return Row(folder.name, None, None, "", "–", "–", "–", None)
    criteria = headline.entries(verdict)
    return Row(
        name=folder.name,
        outcome=verdict["outcome"],
        started_at=verdict["started_at"],
        host=verdict["target"]["host"],
        avg=_figure(criteria, "latency.send.avg"),
        p95=_figure(criteria, "latency.send.p95"),
        sends=numbers.number(verdict["counts"]["sends"]),
        link=f"{folder.name}/report.html" if (folder / "report.html").exists() else None,
    )


def _figure(criteria: Mapping[str, Mapping[str, Any]], name: str) -> str:
    entry = criteria.get(name)
    return "–" if entry is None or entry["observed"] is None else numbers.observed(entry)


def _verdict(folder: Path) -> dict[str, Any] | None:
    """What was judged of the run in `folder`; None when nothing was, or the judge was cut off."""
    try:
        verdict: dict[str, Any] = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return verdict
