"""Two runs side by side: reads what is known of both and of the history around them, and compares.

`Comparison.exit_code`: 1 when something got worse, 3 when that cannot be said, 0 otherwise: what cannot be told is never
"no regression". A fault that one run has and the other has not is told whatever their loads are: a message must not be
lost under any.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analysis.criteria import Verdict, counts_faults
from analysis.errors import RecordError
from analysis.history.comparison import SHORT_PERCENT, Bounds, Change, Word, compare_figures
from analysis.history.figures import figures
from analysis.history.likeness import differences
from analysis.history.runs import known_runs
from analysis.history.sends import read_sends
from analysis.history.stored import StoredCriterion, StoredVerdict, read_verdict
from analysis.history.trust import TRUSTED, doubts
from analysis.history.variation import ENOUGH_RUNS, by_chance
from analysis.latency import Latencies


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs. `sends` are its latencies, where its record was read; `missing` says why it was not."""

    verdict: StoredVerdict
    sends: Latencies | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion as it came out in both runs; None where a run was not judged by it. One of the two is there."""

    a: StoredCriterion | None
    b: StoredCriterion | None

    @property
    def named(self) -> StoredCriterion:
        """The one that has the name of the criterion."""
        found = self.b or self.a
        assert found is not None
        return found

    @property
    def counts_faults(self) -> bool:
        """Whether it must hold under any load."""
        return counts_faults(self.named.id, self.named.target)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `b` differs in from `a`.

    Attributes:
        differing: why the two cannot be compared; empty when they can.
        doubts: what makes the figures of one of them unreliable.
        newly_failing, mended: criteria that fail in B only, and that fail in A and pass in B.
        unclear: criteria that pass in A, and of which B cannot say.
    """

    a: Side
    b: Side
    bounds: Bounds
    differing: tuple[str, ...]
    doubts: tuple[str, ...]
    changes: tuple[Change, ...]
    newly_failing: tuple[Judged, ...]
    mended: tuple[Judged, ...]
    unclear: tuple[Judged, ...]
    notes: tuple[str, ...]

    def having(self, word: Word) -> list[Change]:
        """The changes that are of this kind."""
        return [change for change in self.changes if change.word is word]

    @property
    def open(self) -> list[Change]:
        """The figures of which nobody can say whether they are worse."""
        return [change for change in self.changes if change.open]

    @property
    def exit_code(self) -> int:
        """0 no regression, 1 a regression, 3 inconclusive."""
        if any(one.counts_faults for one in self.newly_failing):
            return 1
        if self.differing or self.doubts:
            return 3
        if self.newly_failing or self.having(Word.REGRESSION):
            return 1
        return 3 if self.unclear or self.open or not self.changes else 0


def compare_runs(a: Path, b: Path, reports_dir: Path, bounds: Bounds, anyway: bool) -> Comparison:
    """Compare the run in `b` with the one in `a`.

    Args:
        reports_dir: where the history lies.
        anyway: compare also where their loads differ.

    Raises:
        RecordError: one of them has no verdict that can be read.
    """
    sides = _side(a), _side(b)
    history = known_runs(reports_dir) if reports_dir.is_dir() else []
    return compare_sides(*sides, [run.verdict for run in history if run.verdict is not None], bounds, anyway)


def compare_sides(
    a: Side, b: Side, history: Iterable[StoredVerdict], bounds: Bounds, anyway: bool = False
) -> Comparison:
    """As `compare_runs`, from what was read already. No input or output."""
    differing = tuple(differences(a.verdict, b.verdict))
    nights = by_chance(history, b.verdict)
    changes = compare_figures(
        figures(a.verdict),
        figures(b.verdict),
        bounds=bounds,
        nights=nights,
        incomparable=None if anyway or not differing else "; ".join(differing),
    )
    pairs = _pairs(a.verdict, b.verdict)
    return Comparison(
        a=a,
        b=b,
        bounds=bounds,
        differing=() if anyway else differing,
        doubts=tuple(
            f"{name} {doubt}" for name, side in (("A", a), ("B", b)) for doubt in doubts(side.verdict)
        ),
        changes=tuple(changes),
        newly_failing=tuple(
            one for one in pairs if _is(one.b, Verdict.FAIL) and not _is(one.a, Verdict.FAIL)
        ),
        mended=tuple(one for one in pairs if _is(one.a, Verdict.FAIL) and _is(one.b, Verdict.PASS)),
        unclear=tuple(
            one
            for one in pairs
            if _is(one.a, Verdict.PASS)
            and not _is(one.b, Verdict.PASS, Verdict.FAIL)
            and one.named.id not in TRUSTED  # of these `doubts` speaks
        ),
        notes=tuple(_notes(a, b, changes, differing if anyway else ())),
    )


def _side(folder: Path) -> Side:
    verdict = read_verdict(folder)
    try:
        return Side(verdict, read_sends(folder))
    except RecordError as error:
        return Side(verdict, missing=str(error))


def _pairs(a: StoredVerdict, b: StoredVerdict) -> list[Judged]:
    """Every criterion of either run, in the order of the newer one."""
    names = [one.id for one in b.criteria]
    names += [one.id for one in a.criteria if one.id not in names]
    return [Judged(a.criterion(name), b.criterion(name)) for name in names]


def _is(criterion: StoredCriterion | None, *outcomes: Verdict) -> bool:
    return criterion is not None and criterion.outcome in outcomes


def _notes(a: Side, b: Side, changes: list[Change], all_the_same: tuple[str, ...]) -> list[str]:
    told = []
    if a.verdict.run_id == b.verdict.run_id:
        told.append("A and B are the same run.")
    if all_the_same:
        told.append(f"Compared all the same, though {'; '.join(all_the_same)}.")
    for name, side, of in (
        ("A", a, [change.a for change in changes]),
        ("B", b, [change.b for change in changes]),
    ):
        if any(figure is not None and figure.ci95 is None for figure in of):
            told.append(f"{name} {_why_no_interval(side.verdict)}")
    told += [
        f"There is no distribution of {name}'s latencies: {side.missing}"
        for name, side in (("A", a), ("B", b))
        if side.missing
    ]
    of_short = [
        one for change in changes if change.at_least for one in (change.a, change.b) if one and one.at_least
    ]
    if any(not one.too_few for one in of_short):
        told.append(
            "Runs of less than fifty minutes do not show how slowly the level moves, so that their intervals may have to be wider: until "
            f"{ENOUGH_RUNS} comparable runs are in the history, only a figure that differs by {SHORT_PERCENT:g}% or more is called a regression."
        )
    if any(one.too_few for one in of_short):
        told.append(
            "Of a percentile that lies among the very highest of too few values the true one may lie beyond all that were seen: until "
            f"{ENOUGH_RUNS} comparable runs are in the history, only one that differs by {SHORT_PERCENT:g}% or more is called a regression."
        )
    if any(change.nights is not None for change in changes):
        told.append(
            "Intervals are widened to what two comparable nights of the history differ by, where that is more."
        )
    else:
        told.append(
            "Two runs alone cannot show how much nights differ though nothing was changed; the history holds too few "
            "comparable runs to tell."
        )
    return told


def _why_no_interval(verdict: StoredVerdict) -> str:
    """Why figures of a run have no interval, as the rest of a sentence."""
    if any(criterion.intervals is None for criterion in verdict.criteria):
        return (
            "was judged by an older chatsoak, which gave fewer figures an interval; "
            f"while its record is there, chatsoak report {verdict.run_id} gives them one."
        )
    return (
        "is too short for every interval: that of a latency takes sends in at least ten different seconds, "
        "that of the history query seven samples of each chat."
    )
