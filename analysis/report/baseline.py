"""``chatsoak baseline``: pins the run that others are compared with, shows it, or lets it go."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from analysis.criteria import Verdict
from analysis.errors import ConfigurationError, RecordError
from analysis.history.runs import BASELINE, find_run, point, pointed_at
from analysis.history.stored import read_verdict
from analysis.report import index
from analysis.visible import in_a_line


def run(named: Path | None, reports_dir: Path, *, none: bool) -> None:
    """Pin `named` as the baseline; with `none` let it go; with neither say which run it is.

    Raises:
        ConfigurationError: both are given.
        RecordError: there is no such run in `reports_dir`, it was not judged, or the baseline cannot be written.
    """
    console = Console()
    if named is not None and none:
        raise ConfigurationError("Give either a run to pin or --none, not both.")
    if named is None and not none:
        pinned = pointed_at(reports_dir, BASELINE)
        console.print(Text(in_a_line(pinned) if pinned else "No baseline is pinned."), soft_wrap=True)
        return
    try:
        if named is None:
            (reports_dir / BASELINE).unlink(missing_ok=True)
            console.print(Text("No baseline is pinned any more."), soft_wrap=True)
        else:
            folder = find_run(named, reports_dir)
            if folder.parent != reports_dir.resolve():
                raise RecordError(
                    f"{folder} lies outside {reports_dir}: a baseline is one of the runs there, among which it is kept."
                )
            verdict = read_verdict(folder)
            point(reports_dir, BASELINE, folder.name)
            console.print(
                Text(in_a_line(f"The baseline is {folder.name} ({verdict.outcome}).")), soft_wrap=True
            )
            if verdict.outcome != Verdict.PASS:
                console.print(
                    Text(
                        "It did not pass: what was slow or wrong in it already is no regression of a later run."
                    ),
                    soft_wrap=True,
                )
        if reports_dir.is_dir():
            index.write_index(reports_dir)
    except OSError as error:
        raise RecordError(f"The baseline in {reports_dir} cannot be written: {error}.") from error
