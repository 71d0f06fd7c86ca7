"""What all runs together come to: the first lines of ``reports/index.html``, and ``reports/history.md`` for a CI job's page.

Of the runs whose load is that of the newest: what changed, and since which night, or that nothing did, or that nobody can
say yet; of runs with other loads only what is worse; and how far the newest run is from the baseline.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from analysis.criteria import Verdict
from analysis.history.comparison import Bounds, Word
from analysis.history.figures import Figure
from analysis.history.nights import LEAST_NIGHTS, Group, NightStep
from analysis.history.runs import KnownRun
from analysis.history.sides import Comparison, Side, compare_sides
from analysis.history.trust import doubts
from analysis.report import changes
from analysis.report.markdown import plain
from analysis.report.numbers import listed, plural
from analysis.report.page import moment
from analysis.report.summary import MARK

LEADING = "send.p95"  # the figure that is told first
WENT = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.INCONCLUSIVE: "is inconclusive",
    Verdict.INFO: "was not judged",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence or two of the answer. `tone` is pass, fail, inconclusive or info."""

    tone: str
    text: str


def against_baseline(runs: Sequence[KnownRun], baseline: str | None) -> Comparison | None:
    """The newest judged run beside the baseline; None where no other run is pinned, or one has no verdict to read."""
    judged = [run for run in runs if run.verdict is not None]
    pinned = next((run for run in judged if run.name == baseline), None)
    if pinned is None or pinned is judged[0]:
        return None
    assert pinned.verdict is not None
    assert judged[0].verdict is not None
    history = [run.verdict for run in judged if run.verdict is not None]
    return compare_sides(Side(pinned.verdict), Side(judged[0].verdict), history, Bounds())


def lines(
    runs: Sequence[KnownRun], together: Sequence[Group], baseline: str | None, compared: Comparison | None
) -> list[Line]:
    """The answer.

    Args:
        runs: all of them, the newest first.
        together: their histories, that of the newest run first.
        baseline: the name of the run that is pinned.
        compared: as of `against_baseline`.
    """
    if not runs:
        return []
    told = [_newest(runs[0])]
    for number, group in enumerate(together):
        found = _changes(group) if number == 0 else [line for line in _changes(group) if line.tone == "fail"]
        told += [Line(line.tone, f"{group.title}: {line.text}") for line in found] if number else found
    if compared is not None:
        told.append(_distance(compared))
    elif baseline is not None:
        told.append(_no_distance(runs, baseline))
    return told


def markdown(told: Iterable[Line]) -> str:
    """``history.md``; what came from a run is escaped."""
    return (
        "\n".join(["## All runs", "", *(f"- {MARK[Verdict(line.tone)]} {plain(line.text)}" for line in told)])
        + "\n"
    )


def day(at: datetime | None, run: str) -> str:
    """The night of a run as people name it; its id where it does not say when it was."""
    return run if at is None else at.astimezone(UTC).strftime("%d %B %Y").lstrip("0")


def _newest(run: KnownRun) -> Line:
    if run.verdict is None:
        return Line("inconclusive", f"The newest run, {run.name}, was not judged.")
    verdict = run.verdict
    when = moment(verdict.started_at.isoformat()) if verdict.started_at else run.name
    failing = sum(one.outcome is Verdict.FAIL for one in verdict.criteria)
    share = f" {failing} of {plural(len(verdict.criteria), 'criterion', 'criteria')}" if failing else ""
    text = f"The newest run, {when}, {WENT[verdict.outcome]}{share}."
    if reasons := doubts(verdict):
        text += f" Its figures are not to be relied on: it {listed(reasons)}."
    return Line(verdict.outcome.value, text)


def _changes(group: Group) -> list[Line]:
    """What changed for good in a history, the newest change first, or that nothing did, or that nobody can say."""
    count = len(group.runs) - len(group.doubted)
    told = []
    for run, word in dict.fromkeys((step.run, step.word) for step in group.standing):
        steps = [step for step in group.standing if (step.run, step.word) == (run, word)]
        steps.sort(key=lambda step: step.measure.id != LEADING)
        told.append(Line(changes.TONE[word], _since(steps)))
    unknown = [course.measure.title for course in group.courses if not course.known]
    if len(unknown) == len(group.courses):
        told.append(
            Line(
                "inconclusive",
                f"Too few runs to tell whether anything changed: {plural(count, 'comparable run')} to be relied on, "
                f"and it takes {LEAST_NIGHTS}.",
            )
        )
        return told
    if not told:
        told.append(Line("pass", f"No figure changed for good in {plural(count, 'comparable run')}."))
    if unknown:
        told.append(Line("inconclusive", f"Too few runs to tell whether these changed: {listed(unknown)}."))
    return told


def _since(steps: Sequence[NightStep]) -> str:
    """Steps of one night, e.g. "P95 of send latency: +13.0% since the night of 1 October 2026 (regression)"."""
    first, *others = steps
    text = f"{first.measure.title}: {_how_much(first)} since the night of {day(first.at, first.run)} ({first.word})"
    if others:
        text += f"; with it {listed([f'{step.measure.title} ({_how_much(step)})' for step in others])}"
    return f"{text}."


def _how_much(step: NightStep) -> str:
    if step.percent is None:
        return f"from 0 to {changes.value(step.measure, Figure(step.after))}"
    return f"{changes.signed(step.percent)}%"


def _distance(compared: Comparison) -> Line:
    of = compared.a.verdict
    leading = next((one for one in compared.changes if one.measure.id == LEADING), None)
    told = changes.sentences(compared)
    if (
        leading is not None
        and leading.percent is not None
        and leading.word not in (Word.REGRESSION, Word.IMPROVEMENT)
    ):
        between = changes.percent_interval(leading)
        around = f", 95% interval {between}" if between else ""
        told.insert(0, f"{leading.measure.title} {changes.percent(leading)}{around}.")
    return Line(
        changes.OUTCOME_TONE[compared.exit_code],
        f"The newest run (B) against the baseline (A) of {day(of.started_at, of.run_id)}: {' '.join(told)}",
    )


def _no_distance(runs: Sequence[KnownRun], baseline: str) -> Line:
    judged = [run for run in runs if run.verdict is not None]
    if judged and judged[0].name == baseline:
        return Line("info", "The newest run that was judged is the baseline.")
    return Line(
        "inconclusive",
        f"The baseline, {baseline}, has no verdict that can be read: nothing is compared with it.",
    )
