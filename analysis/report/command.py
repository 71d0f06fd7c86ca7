"""``chatsoak report RUN``: judge a run's record, write everything that tells about it, and say how it went."""

import json
from datetime import datetime
from pathlib import Path

from rich.console import Console

from analysis.errors import RecordError
from analysis.history.runs import find_run, record_is_there
from analysis.history.stored import VERDICT_FILE
from analysis.judge import judge_run
from analysis.judgement import Judgement
from analysis.progress import Progress, error_console
from analysis.report import index, junit, page, summary, terminal
from analysis.report.files import replace_text
from analysis.settings import Settings
from analysis.verdict import exit_code

REPORTS_DIR: Path = Settings.model_fields["chatsoak_reports_dir"].default


def run(folder: Path, as_json: bool, reports_dir: Path = REPORTS_DIR) -> int:
    """Judge the run in `folder`, write its report, print the closing summary, and return the exit code.

    Args:
        folder: a run's folder, or its id, or ``latest``: the last two are looked up in `reports_dir`.
        as_json: print the verdict as JSON instead of the summary.

    Returns:
        0 when every criterion passed, 1 when one failed, 3 when the outcome is inconclusive.

    Raises:
        RecordError: there is no such run, or its record cannot be read, or the report not be written.
    """
    folder = find_run(folder, reports_dir)
    if (folder / VERDICT_FILE).exists() and not record_is_there(folder):
        raise RecordError(
            f"The record of {folder.name} was removed, so it cannot be judged again; what {folder / VERDICT_FILE} and "
            "report.html say still stands."
        )
    with Progress(error_console()) as progress:
        judgement = judge_run(folder, progress.step)
        progress.step("drawing the report")
        report = write(folder, judgement)
    console = Console()
    if as_json:
        console.out(json.dumps(judgement.verdict, indent=1), highlight=False)
    else:
        terminal.show(console, judgement.verdict, judgement.users, report)
    return exit_code(judgement.verdict)


def write(folder: Path, judgement: Judgement) -> Path:
    """Write report.html, summary.md, junit.xml, and the list of all runs; return the report's path.

    Raises:
        RecordError: the folder cannot be written.
    """
    verdict = judgement.verdict
    report = folder / "report.html"
    try:
        replace_text(report, page.render(judgement))
        replace_text(folder / "summary.md", summary.render(verdict, judgement.users, judgement.endpoint))
        replace_text(folder / "junit.xml", junit.render(verdict, duration_s(judgement)))
        if folder.name == verdict["run_id"]:  # a folder that was copied elsewhere has no list beside it
            index.point_latest(folder.parent)  # first: the list shows which run that is
            index.write_index(folder.parent)
    except OSError as error:
        raise RecordError(f"The report in {folder} cannot be written: {error}.") from error
    return report


def duration_s(judgement: Judgement) -> float:
    """How long the run took by its own start and end, in seconds; as far as its record goes if it was cut off."""
    run_info = judgement.run
    if run_info.started_at is None or run_info.ended_at is None:
        return judgement.timeline.end_s - judgement.timeline.begin_s
    ended, started = (datetime.fromisoformat(one) for one in (run_info.ended_at, run_info.started_at))
    return (ended - started).total_seconds()
