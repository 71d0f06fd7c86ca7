"""Two runs side by side: reads what is known of both and of the history around them, and compares.

`Comparison.exit_code`: 1 when something got worse, 3 when that cannot be said, 0 otherwise. A fault that one run has
and the other has not is told whatever their loads are: a message must not be lost under any.
"""

from dataclasses import dataclass
from pathlib import Path

from analysis.criteria import Verdict
from analysis.history import sends
from analysis.history.comparison import Bounds, Change, Word, compare_figures
from analysis.history.figures import Figure, figures
from analysis.history.likeness import differences
from analysis.history.runs import known_runs
from analysis.history.stored import StoredCriterion, StoredVerdict, read_verdict
from analysis.history.variation import by_chance
from analysis.latency import Latencies

# Where one of these is not a pass, the figures of a run are not to be believed.
TRUSTED = ("generator.healthy", "record.complete")
FAULTS = "0"  # the target of a criterion that counts faults


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs. `sends` are its latencies, where its record is still there."""

    folder: Path
    verdict: StoredVerdict
    sends: Latencies | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A criterion that one of the runs meets and the other does not."""

    a: StoredCriterion
    b: StoredCriterion


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `b` differs in from `a`.

    Attributes:
        differing: why the two cannot be compared; empty when they can.
        doubts: what makes the figures of one of them unreliable.
        newly_failing, mended: criteria that count faults, which fail in B only, and in A only.
    """

    a: Side
    b: Side
    bounds: Bounds
    differing: tuple[str, ...]
    doubts: tuple[str, ...]
    changes: tuple[Change, ...]
    newly_failing: tuple[Fault, ...]
    mended: tuple[Fault, ...]
    notes: tuple[str, ...]

    def having(self, word: Word) -> list[Change]:
        """The changes that are of this kind."""
        return [change for change in self.changes if change.word is word]

    @property
    def exit_code(self) -> int:
        """0 no regression, 1 a regression, 3 inconclusive."""
        if self.newly_failing:
            return 1
        if self.differing or self.doubts:
            return 3
        return 1 if self.having(Word.REGRESSION) else 0


def compare_runs(a: Path, b: Path, reports_dir: Path, bounds: Bounds, anyway: bool) -> Comparison:
    """Compare the run in `b` with the one in `a`.

    Args:
        reports_dir: where the history lies.
        anyway: compare also where their loads differ.

    Raises:
        RecordError: one of them has no verdict that can be read.
    """
    of_a, of_b = read_verdict(a), read_verdict(b)
    side_a, side_b = Side(a, of_a, sends.read_sends(a)), Side(b, of_b, sends.read_sends(b))
    differing = tuple(differences(of_a, of_b))
    history = known_runs(reports_dir) if reports_dir.is_dir() else []
    nights = by_chance((run.verdict for run in history if run.verdict is not None), of_b)
    changes = compare_figures(
        figures(of_a) | _from_record(side_a),
        figures(of_b) | _from_record(side_b),
        bounds=bounds,
        nights=nights,
        incomparable=None if anyway or not differing else "; ".join(differing),
    )
    newly, mended = _faults(of_a, of_b)
    return Comparison(
        a=side_a,
        b=side_b,
        bounds=bounds,
        differing=() if anyway else differing,
        doubts=(*_doubts("A", of_a), *_doubts("B", of_b)),
        changes=tuple(changes),
        newly_failing=newly,
        mended=mended,
        notes=tuple(_notes(side_a, side_b, bool(nights), differing if anyway else ())),
    )


def _from_record(side: Side) -> dict[str, Figure]:
    return {} if side.sends is None else sends.percentiles(side.sends)


def _doubts(name: str, verdict: StoredVerdict) -> list[str]:
    told = [f"{name} was cut off before its end"] if verdict.ended_at is None else []
    for criterion in (verdict.criterion(one) for one in TRUSTED):
        if criterion is not None and criterion.outcome in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            told.append(f"in {name}, “{criterion.title}” is {criterion.outcome}")
    return told


def _faults(a: StoredVerdict, b: StoredVerdict) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    before = {criterion.id: criterion for criterion in a.criteria if criterion.target == FAULTS}
    both = [(before[one.id], one) for one in b.criteria if one.target == FAULTS and one.id in before]
    newly = [Fault(x, y) for x, y in both if y.outcome is Verdict.FAIL and x.outcome is not Verdict.FAIL]
    mended = [Fault(x, y) for x, y in both if x.outcome is Verdict.FAIL and y.outcome is Verdict.PASS]
    return tuple(newly), tuple(mended)


def _notes(a: Side, b: Side, nights: bool, all_the_same: tuple[str, ...]) -> list[str]:
    told = []
    if all_the_same:
        told.append(f"Compared all the same, though {'; '.join(all_the_same)}.")
    gone = [name for name, side in (("A", a), ("B", b)) if side.sends is None]
    if gone:
        told.append(
            f"The record of {' and '.join(gone)} is gone or empty: figures and intervals come from its verdict, "
            "which has no interval of P50 and P99 and no distribution."
        )
    if nights:
        told.append(
            "Intervals are widened to what two comparable nights of the history differ by, where that is more."
        )
    else:
        told.append(
            "Two runs alone cannot show how much nights differ though nothing was changed; the history holds too few "
            "comparable runs to tell."
        )
    return told
