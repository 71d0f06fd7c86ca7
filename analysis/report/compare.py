"""``chatsoak compare A B``: compares two runs, and says it on the terminal, as JSON, and as a page."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.errors import RecordError
from analysis.history.comparison import Bounds, Word
from analysis.history.runs import find_run
from analysis.history.sides import Comparison, compare_runs
from analysis.report import changes, compare_plots, index
from analysis.report.files import replace_text
from analysis.report.page import environment
from analysis.visible import in_a_line

INCONCLUSIVE = 3
STYLE = {
    Word.REGRESSION: "bold red",
    Word.IMPROVEMENT: "green",
    Word.UNKNOWN: "yellow",
    Word.NOT_COMPARABLE: "yellow",
}
OUTCOME_STYLE = {0: "bold green", 1: "bold red", INCONCLUSIVE: "bold yellow"}
SIGN = {0: "✓", 1: "✕", INCONCLUSIVE: "?"}


def run(
    a: Path, b: Path, reports_dir: Path, bounds: Bounds, *, anyway: bool, as_json: bool, html: Path | None
) -> int:
    """Compare run `b` with run `a`, tell it, and return the exit code: 0 no regression, 1 a regression, 3 inconclusive.

    Args:
        a, b: a run's folder or id, or ``latest``, or ``baseline``.
        html: where to write the page, or None.

    Raises:
        RecordError: there is no such run, or `html` cannot be written.
    """
    folders = find_run(a, reports_dir), find_run(b, reports_dir)
    console = Console()
    try:
        found = compare_runs(*folders, reports_dir, bounds, anyway)
    except RecordError as error:  # a run that was not judged, or whose verdict is broken: nobody can say
        if as_json:
            told = {"schema": 1, "outcome": changes.OUTCOMES[INCONCLUSIVE], "error": str(error)}
            console.out(json.dumps(told, indent=1), highlight=False)
        else:
            Console(stderr=True).print(Text(in_a_line(str(error))), soft_wrap=True)
        return INCONCLUSIVE
    if html is not None:
        try:
            replace_text(html, render(found))
            if html.resolve().parent.parent == reports_dir.resolve():  # of a run, which the list links to
                index.write_index(reports_dir)
        except OSError as error:
            raise RecordError(f"The page {html} cannot be written: {error}.") from error
    if as_json:
        console.out(json.dumps(changes.as_json(found), indent=1), highlight=False)
    else:
        show(console, found, html)
    return found.exit_code


def show(console: Console, found: Comparison, html: Path | None) -> None:
    """Print the comparison as a table, and what it comes to."""
    outcome = found.exit_code
    word = f"{SIGN[outcome]} {changes.OUTCOMES[outcome].upper()}"
    console.print(Text(word, style=OUTCOME_STYLE[outcome]), soft_wrap=True)
    for name, side in (("A", found.a), ("B", found.b)):
        run_id = in_a_line(side.verdict.run_id)
        console.print(Text(f"{name}: run {run_id}, {side.verdict.outcome}"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for title, justify in (
        ("", "left"),
        ("A", "right"),
        ("B", "right"),
        ("Change", "right"),
        ("95% interval", "right"),
    ):
        table.add_column(title, justify="right" if justify == "right" else "left", no_wrap=bool(title))
    table.add_column("")
    for change in found.changes:
        table.add_row(
            Text(in_a_line(change.measure.label)),
            Text(changes.value(change.measure, change.a)),
            Text(changes.value(change.measure, change.b)),
            Text(changes.percent(change) if change.percent is not None else changes.amount(change)),
            Text(changes.percent_interval(change) or changes.amount_interval(change)),
            Text(change.word.value, style=STYLE.get(change.word, "")),
        )
    console.print(table)
    for sentence in [*changes.sentences(found), *found.notes]:
        console.print(Text(in_a_line(sentence)), soft_wrap=True)
    if html is not None:
        console.print(Text(f"Page: {html}"), soft_wrap=True)


def render(found: Comparison) -> str:
    """The comparison as one self-contained page."""
    a, b = found.a.sends, found.b.sends
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            found=found,
            outcome=changes.OUTCOMES[found.exit_code],
            sign_of_outcome=SIGN[found.exit_code],
            tone_of_outcome=changes.OUTCOME_TONE[found.exit_code],
            sentences=changes.sentences(found),
            say=changes,
            tone=changes.TONE,
            terms=changes.TERMS,
            changes_plot=compare_plots.changes(found.changes, found.bounds.percent),
            distributions=None if a is None or b is None else compare_plots.distributions(a, b),
        )
    )
