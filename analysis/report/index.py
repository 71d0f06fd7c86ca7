"""``reports/index.html``: the history of comparable runs, and every run; and ``reports/latest``, which points at the newest."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from analysis.criteria import Verdict
from analysis.history.comparison import Bounds, Word
from analysis.history.figures import figures
from analysis.history.nights import Course, Group, NightStep, groups
from analysis.history.runs import BASELINE, LATEST, KnownRun, known_runs, point, pointed_at, run_folders
from analysis.report.changes import TONE, signed, value
from analysis.report.files import replace_text
from analysis.report.numbers import number
from analysis.report.page import environment
from analysis.report.sparkline import SHORT_WIDTH, sparkline

NEWEST = 10  # runs above the histories
LEAST_RUNS = 2  # fewer are no history
SHOWN_NIGHTS = 30  # in the small curve of a run
LEADING = "send.p95"  # the figure of that curve
COMPARED = "compare.html"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure of a history. `range` is its lowest and highest value in words."""

    title: str
    newest: str
    range: str
    curve: Markup
    steps: tuple[tuple[str, str], ...]  # tone and words of each, the newest first


@dataclass(frozen=True, slots=True)
class History:
    """A group of comparable runs, of which there are at least two."""

    title: str
    count: int
    rows: tuple[FigureRow, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A run in the list. `outcome` is None for one that was not judged, `problem` says why."""

    name: str
    outcome: str | None
    problem: str | None
    marks: tuple[str, ...]
    started_at: str | None
    host: str
    avg: str
    p95: str
    curve: Markup
    sends: str
    link: str | None
    compared: str | None


def write_index(reports_dir: Path) -> Path:
    """Write the list anew, and return its path.

    Raises:
        OSError: it cannot be written.
    """
    runs = known_runs(reports_dir)
    together = groups(runs, Bounds())
    curves = {name: curve for group in together for name, curve in _curves_of_runs(group)}
    marks = {LATEST: pointed_at(reports_dir, LATEST), BASELINE: pointed_at(reports_dir, BASELINE)}
    page = (
        environment()
        .get_template("index.html.j2")
        .render(
            newest=NEWEST,
            histories=[_history(group) for group in together if len(group.runs) >= LEAST_RUNS],
            rows=[
                _row(
                    run, tuple(mark for mark, name in marks.items() if name == run.name), curves.get(run.name)
                )
                for run in runs
            ],
        )
    )
    path = reports_dir / "index.html"
    replace_text(path, page)
    return path


def point_latest(reports_dir: Path) -> None:
    """Make ``latest`` point at the newest run."""
    if found := run_folders(reports_dir):
        point(reports_dir, LATEST, found[0].name)


def _history(group: Group) -> History:
    return History(group.title, len(group.runs), tuple(_figure_row(course) for course in group.courses))


def _figure_row(course: Course) -> FigureRow:
    values = [one.figure.value for one in course.points]
    return FigureRow(
        title=course.measure.title,
        newest=value(course.measure, course.points[-1].figure),
        range=f"{number(min(values))} to {number(max(values))}",
        curve=sparkline(values, [step.index for step in course.steps]),
        steps=tuple((TONE[step.word], _step_in_words(step)) for step in reversed(course.steps)),
    )


def _step_in_words(step: NightStep) -> str:
    share = "" if step.percent is None else f" ({signed(step.percent)}%)"
    what = "Regression" if step.word is Word.REGRESSION else "Improvement"
    return (
        f"{what} from {step.run} on: {number(step.before)} → {number(step.after)} {step.measure.unit}{share}"
    )


def _curves_of_runs(group: Group) -> list[tuple[str, Markup]]:
    """For each run of the group: the leading figure of the runs up to it."""
    leading = next((course for course in group.courses if course.measure.id == LEADING), None)
    if leading is None or len(leading.points) < LEAST_RUNS:
        return []
    values = [one.figure.value for one in leading.points]
    return [
        (one.run, sparkline(values[max(0, place + 1 - SHOWN_NIGHTS) : place + 1], width=SHORT_WIDTH))
        for place, one in enumerate(leading.points)
    ]


def _row(run: KnownRun, marks: tuple[str, ...], curve: Markup | None) -> Row:
    own = {} if run.verdict is None else figures(run.verdict)

    def figure(name: str) -> str:
        return f"{number(own[name].value)} ms" if name in own else "–"

    def link(name: str) -> str | None:
        return f"{run.name}/{name}" if (run.folder / name).exists() else None

    verdict = run.verdict
    return Row(
        name=run.name,
        outcome=None if verdict is None else str(Verdict(verdict.outcome)),
        problem=run.problem,
        marks=marks,
        started_at=verdict.started_at.isoformat() if verdict and verdict.started_at else None,
        host="" if verdict is None else verdict.target.host,
        avg=figure("send.avg"),
        p95=figure(LEADING),
        curve=curve or Markup(),
        sends="–" if verdict is None else number(verdict.counts.get("sends", 0)),
        link=link("report.html"),
        compared=link(COMPARED),
    )
