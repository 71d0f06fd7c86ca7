"""How much of a latency's figure is the load generator's own delay, and what that makes of its criterion. Pure.

A criterion is never turned into a failure by it, and into an excuse only where the target might have been kept. But a figure of
which much is the generator's own says little about the server whether it keeps its target or not: such a one says so, and what it
would be without.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from analysis.criteria import Criterion, Verdict

# A generator can only make a figure larger. But where so much of it is the generator's own, the server has felt less load than
# was asked for, and neither a target that is kept nor a figure that is compared with another night's says much about it.
MOST_ERROR = 0.25

# Criteria without such a figure that may fail for the generator alone, and what is then said of them.
TURNED = {
    "errors.send": "Without the errors of the load generator's own making the target would be kept. See generator.healthy.",
    "drift.latency": "The load generator itself may be to blame: without its own delays no latency would drift. See generator.healthy.",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A latency criterion's figure in milliseconds.

    Attributes:
        without_ms: what is left of it without the generator's own delays.
        service_ms: of the same things from when they left, likewise: the server's part alone.
        slots_ms: how much of it was waiting for a slot of those that the server held (open workload).
    """

    id: str
    target_ms: float
    observed_ms: float
    without_ms: float
    service_ms: float
    slots_ms: float = 0.0

    @property
    def error_ms(self) -> float:
        """How much of it may be the generator's own."""
        return self.observed_ms - self.without_ms

    @property
    def share(self) -> float:
        """That as a share of the target; where the server misses it by itself, of what the server made of it.

        A server that takes ten seconds is not excused by a tenth of one; nor does a server that is slow excuse a generator
        which adds as much again.
        """
        return self.error_ms / max(self.target_ms, self.without_ms)

    @property
    def turns(self) -> bool:
        """Whether it misses its target, and might not have with a better generator."""
        return self.observed_ms >= self.target_ms > self.without_ms

    @property
    def by_slots(self) -> bool:
        """Whether it misses its target for what sends waited before they left, most of it for a slot."""
        waited_ms = self.observed_ms - self.service_ms
        return self.observed_ms >= self.target_ms > self.service_ms and self.slots_ms >= waited_ms / 2

    @property
    def doubted(self) -> bool:
        """Whether it is not to be believed."""
        return self.turns or self.share > MOST_ERROR


def excuse(
    criteria: Iterable[Criterion], figures: Sequence[Figure], turned: Collection[str]
) -> tuple[Criterion, ...]:
    """The criteria, those inconclusive that fail and might not have with a better generator.

    One whose figure is not to be believed says so, and has fact ``without_generator_ms``, whatever its outcome. One that fails
    because sends waited for a slot says that.

    Args:
        turned: those of `TURNED` that fail, and would not without the generator's own errors and delays.
    """
    by_id = {figure.id: figure for figure in figures}
    weighed = []
    for criterion in criteria:
        failed = criterion.outcome is Verdict.FAIL
        figure = by_id.get(criterion.id)
        if figure is not None and figure.doubted:
            weighed.append(_doubted(criterion, figure))
        elif figure is not None and failed and figure.by_slots:
            weighed.append(_because(criterion, _slots(figure)))
        elif failed and criterion.id in turned:
            because = _because(criterion, TURNED[criterion.id])
            weighed.append(replace(because, outcome=Verdict.INCONCLUSIVE))
        else:
            weighed.append(criterion)
    return tuple(weighed)


def _doubted(criterion: Criterion, figure: Figure) -> Criterion:
    known = replace(criterion, facts={**criterion.facts, "without_generator_ms": round(figure.without_ms, 3)})
    if figure.turns and criterion.outcome is Verdict.FAIL:
        why = (
            f"The load generator itself may be to blame: without its own delays this would be {figure.without_ms:,.1f} ms. "
            "See generator.healthy."
        )
        return replace(_because(known, why), outcome=Verdict.INCONCLUSIVE)
    misses = figure.without_ms >= figure.target_ms
    why = (
        f"The figure is not to be believed, though the target is {'missed' if misses else 'kept'} either way: up to "
        f"{figure.error_ms:,.1f} ms of it are the load generator's own delay, and without that it would be "
        f"{figure.without_ms:,.1f} ms. See generator.healthy."
    )
    return _because(known, why)


def _slots(figure: Figure) -> str:
    return (
        f"Of this, {figure.slots_ms:,.1f} ms are the wait for a free slot (CHATSOAK_MAX_IN_FLIGHT): all of them were taken by actions "
        f"that the server had not answered. From when they left, sends took {figure.service_ms:,.1f} ms."
    )


def _because(criterion: Criterion, why: str) -> Criterion:
    """The criterion with a reason before what it said already."""
    return replace(criterion, reason=f"{why} {criterion.reason}" if criterion.reason else why)
