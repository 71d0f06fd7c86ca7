"""``reports/index.html``: what all runs come to, the histories, and every run; ``reports/history.md``, the same in a few lines;
and ``reports/latest``, which points at the newest run."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from analysis.criteria import Verdict
from analysis.history.comparison import Bounds, Change, Word
from analysis.history.figures import BY_ID, Figure, figures
from analysis.history.nights import LEAST_NIGHTS, Course, Group, NightStep, groups
from analysis.history.runs import BASELINE, LATEST, KnownRun, known_runs, point, pointed_at, run_folders
from analysis.history.trust import doubts
from analysis.report import answer, changes
from analysis.report.changes import TONE, interval, signed, value
from analysis.report.files import replace_text
from analysis.report.numbers import listed, number, plural
from analysis.report.page import environment
from analysis.report.sparkline import SHORT_WIDTH, sparkline

NEWEST = 10  # runs above the others
LEAST_RUNS = 2  # fewer are no history
SHOWN_NIGHTS = 30  # in the small curve of a run
SURE = 0.001  # a smaller p-value is not told more exactly
REPORT = "report.html"
COMPARED = "compare.html"
FILES = (  # beside the report, with what they are called
    (COMPARED, "compared"),
    ("summary.md", "summary"),
    ("junit.xml", "JUnit"),
    ("verdict.json", "verdict"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a figure in words, with the run that it begins at."""

    tone: str
    since: str
    link: str | None
    words: str


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure of a history. `range` is its lowest and highest value, `distance` how far the newest run is from the baseline."""

    title: str
    newest: str
    interval: str
    range: str
    distance: Change | None
    curve: Markup
    steps: tuple[Step, ...]  # the newest first
    known: bool  # there are nights enough to find steps


@dataclass(frozen=True, slots=True)
class History:
    """A group of comparable runs, of which there are at least two."""

    title: str
    count: int
    doubted: int
    compared: bool  # its newest run was held against the baseline
    rows: tuple[FigureRow, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A run in the list. `outcome` is None for one that was not judged, `problem` says why."""

    name: str
    outcome: str | None
    problem: str | None
    doubts: str
    marks: tuple[str, ...]
    started_at: str | None
    host: str
    figures: tuple[tuple[str, str, str], ...]  # label, value and interval of each
    curve: Markup | None
    sends: str
    link: str | None
    files: tuple[tuple[str, str], ...]  # name and link


def write_index(reports_dir: Path) -> Path:
    """Write the list and ``history.md`` anew, and return the list's path.

    Raises:
        OSError: one cannot be written.
    """
    runs = known_runs(reports_dir)
    together = groups(runs, Bounds())
    marks = {LATEST: pointed_at(reports_dir, LATEST), BASELINE: pointed_at(reports_dir, BASELINE)}
    compared = answer.against_baseline(runs, marks[BASELINE])
    told = answer.lines(runs, together, marks[BASELINE], compared)
    distances = (
        {} if compared is None or compared.differing else {one.measure.id: one for one in compared.changes}
    )
    by_name = {run.name: run for run in runs}
    newest_judged = next((run.name for run in runs if run.verdict is not None), None)
    curves = {name: curve for group in together for name, curve in _curves_of_runs(group)}
    page = (
        environment()
        .get_template("index.html.j2")
        .render(
            answer=told,
            newest=NEWEST,
            least_nights=LEAST_NIGHTS,
            say=changes,
            tone_of_word=TONE,
            histories=[
                _history(group, distances if group.runs[-1] == newest_judged else {}, by_name)
                for group in together
                if len(group.runs) >= LEAST_RUNS
            ],
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
    replace_text(reports_dir / "history.md", answer.markdown(told))
    return path


def point_latest(reports_dir: Path) -> None:
    """Make ``latest`` point at the newest run."""
    if found := run_folders(reports_dir):
        point(reports_dir, LATEST, found[0].name)


def _history(group: Group, distances: Mapping[str, Change], by_name: Mapping[str, KnownRun]) -> History:
    return History(
        group.title,
        len(group.runs),
        len(group.doubted),
        bool(distances),
        tuple(_figure_row(course, distances.get(course.measure.id), by_name) for course in group.courses),
    )


def _figure_row(course: Course, distance: Change | None, by_name: Mapping[str, KnownRun]) -> FigureRow:
    newest = course.points[-1].figure
    places = range(len(course.points))
    steps = [step.index for step in course.steps]
    return FigureRow(
        title=course.measure.title,
        newest=value(course.measure, newest),
        interval=interval(course.measure, newest),
        range=_range(course, places),
        distance=distance,
        curve=sparkline(
            [one.figure.value for one in course.points],
            _said(course, places),
            steps=steps,
            hollow=_hollow(course, places),
        ),
        steps=tuple(_step(step, by_name[step.run]) for step in reversed(course.steps)),
        known=course.known,
    )


def _step(step: NightStep, run: KnownRun) -> Step:
    share = "" if step.percent is None else f" ({signed(step.percent)}%)"
    what = "Regression" if step.word is Word.REGRESSION else "Improvement"
    sure = f"p < {SURE}" if step.p_value < SURE else f"p = {step.p_value:.3f}"
    return Step(
        TONE[step.word],
        f"{what} since the night of {answer.day(step.at, step.run)}",
        _link(run, REPORT),
        f"{number(step.before)} → {value(step.measure, Figure(step.after))}{share}, {sure}",
    )


def _curves_of_runs(group: Group) -> list[tuple[str, Markup]]:
    """For each run of the group: the leading figure of the runs up to it."""
    leading = next((course for course in group.courses if course.measure.id == answer.LEADING), None)
    if leading is None or len(leading.points) < LEAST_RUNS:
        return []
    found = []
    for place, one in enumerate(leading.points):
        places = range(max(0, place + 1 - SHOWN_NIGHTS), place + 1)
        values = [leading.points[at].figure.value for at in places]
        hollow = _hollow(leading, places)
        found.append((one.run, sparkline(values, _said(leading, places), hollow=hollow, width=SHORT_WIDTH)))
    return found


def _hollow(course: Course, places: range) -> list[int]:
    """Which of these points, counted from the first of them, are not to be relied on."""
    return [at - places.start for at in places if not course.points[at].believed]


def _range(course: Course, places: Collection[int]) -> str:
    """From the lowest to the highest of these points that are to be relied on; of all where none is."""
    points = [course.points[at] for at in places]
    values = [one.figure.value for one in points if one.believed] or [one.figure.value for one in points]
    return f"{number(min(values))} to {value(course.measure, Figure(max(values)))}"


def _said(course: Course, places: range) -> str:
    """A curve in words."""
    last = value(course.measure, course.points[places[-1]].figure)
    return (
        f"{course.measure.title} in {plural(len(places), 'run')}: {_range(course, places)}, the last {last}"
    )


def _link(run: KnownRun, file: str) -> str | None:
    """Where a file of a run is, as seen from the list; None where there is none."""
    return f"./{quote(run.name)}/{file}" if (run.folder / file).exists() else None


def _row(run: KnownRun, marks: tuple[str, ...], curve: Markup | None) -> Row:
    verdict = run.verdict
    own = {} if verdict is None else figures(verdict)
    reasons = [] if verdict is None else doubts(verdict)
    shown = ((name, label, BY_ID[name]) for name, label in (("send.avg", "Average"), (answer.LEADING, "P95")))
    return Row(
        name=run.name,
        outcome=None if verdict is None else str(Verdict(verdict.outcome)),
        problem=run.problem,
        doubts=listed(reasons) if reasons else "",
        marks=marks,
        started_at=verdict.started_at.isoformat() if verdict and verdict.started_at else None,
        host="" if verdict is None else verdict.target.host,
        figures=tuple(
            (label, value(measure, own.get(name)), interval(measure, own.get(name)))
            for name, label, measure in shown
        ),
        curve=curve,
        sends="–" if verdict is None else number(verdict.counts.get("sends", 0)),
        link=_link(run, REPORT),
        files=tuple((called, link) for file, called in FILES if (link := _link(run, file)) is not None),
    )
