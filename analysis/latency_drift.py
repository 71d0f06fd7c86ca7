"""`drift.latency`: over a soak the app does not become slower and slower. No input or output here.

Judged is the part in which the number of users stood at its highest and the planned rate stood still (`checks.steady`), without the warm-up, which is found in
the latencies themselves, in windows of a minute (longer where sends are few; in shorter ones neighbours are near copies of each
other, which a short series does not betray): their average and P95 of send latency and their P95 of delivery latency. A
series drifts when it rises beyond chance (`statistics.trend`; Holm's method over the series), and

* when it rises by a tenth or more over the part judged, and, going on like that, passes its target within a day, or has passed it,
* or, however little it rises, when it began below its target and passes it within as much time again, or has passed it.

The slope is Theil's and Sen's (`statistics.trend`). Rises that a target has room for are told and fail nothing. A rise that one step
makes `LEAST_LIKELIER` times likelier than any that goes on (`statistics.shape`) is no drift: it is told, and what comes after
the step is judged by itself.
Method's limits: a straight line is assumed; a step that noise hides counts as a drift; a drift much
slower than a tenth in the run is not seen, unless its target is near; in ten minutes most are not (docs/statistics.md has how many).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.checks.steady import Stretch
from analysis.criteria import Criterion, Finding, Verdict
from analysis.faults import Faults
from analysis.latency import Latencies, Targets
from analysis.statistics.autocorrelation import Floats
from analysis.statistics.shape import LEAST_LIKELIER, Jump, best_jump
from analysis.statistics.trend import LEAST_POINTS, Trend, forecast_crossing_s, trend
from analysis.statistics.windows import FEW, PLENTY, windows

LEAST_S = 570.0  # ten minutes of load, less what it takes to start the users
WIDTH_S = 60.0  # of a window, at least
ALPHA = 0.05  # over all series together, one-sided
MATTERS = 0.10  # rise over the part judged
HORIZON_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Rise:
    """A series of window figures, its target, and its trend.

    Attributes:
        of: the latencies whose figures these are: "send" or "delivery".
        times_s, values: the middle of each window, and its figure.
    """

    name: str
    of: str
    target_ms: float
    trend: Trend
    times_s: Floats = field(repr=False, compare=False)
    values: Floats = field(repr=False, compare=False)

    @property
    def chance(self) -> float:
        """How likely a series without a trend rises as this one does: one-sided."""
        return self.trend.p_value / 2 if self.trend.slope_per_s > 0 else 1.0

    @property
    def share(self) -> float:
        """What the trend adds, as a share of where it began."""
        begin_ms = self.trend.at(self.trend.begin_s)
        return self.trend.change / begin_ms if begin_ms > 0 else float("inf")

    @property
    def is_near(self) -> bool:
        """It began below its target, and passes it within as much time again as was judged."""
        found = self.trend
        crossing_s = self.crossing_s
        began_below = found.at(found.begin_s) < self.target_ms
        return began_below and crossing_s is not None and crossing_s <= found.end_s - found.begin_s

    @property
    def breaks_target(self) -> bool:
        """Whether it is a drift, given that it is beyond chance."""
        within_a_day = self.crossing_s is not None and self.crossing_s <= HORIZON_S
        return self.is_near or (self.share >= MATTERS and within_a_day)

    @property
    def crossing_s(self) -> float | None:
        """Seconds from the end of the part judged until the target is passed; 0 = it has been."""
        at_s = forecast_crossing_s(self.trend, self.target_ms)
        return None if at_s is None else max(at_s - self.trend.end_s, 0.0)

    @property
    def matters(self) -> bool:
        """Whether it is told, given that it is beyond chance."""
        return self.share >= MATTERS or self.is_near

    def since(self, at_s: float) -> "Rise | None":
        """The same of the windows from a time on; None where they are too few."""
        late = self.times_s >= at_s
        found = trend(self.times_s[late], self.values[late])
        if found is None:
            return None
        return replace(self, trend=found, times_s=self.times_s[late], values=self.values[late])


def latency_drift(sent: Latencies, delivered: Latencies, targets: Targets, within: Stretch) -> Criterion:
    """Judge the steady part of a soak; a run that is too short for that says so, and is no part of the outcome.

    Args:
        within: the steady part, on the axis of the latencies; the warm-up is left out of these already, so that the time it
            took to settle counts too.
    """
    if within.held_s < LEAST_S:
        return _criterion(Verdict.INFO, [], within.too_short)
    rises = list(rises_of(sent, delivered, targets, within))
    if not rises:
        return _criterion(
            Verdict.INFO,
            [],
            f"Fewer than {LEAST_POINTS} windows of the steady part have {FEW} latencies: too few to judge a drift.",
        )
    seen = [one for one in significant(rises) if one.matters]
    steps = {one.name: step for one, step in steps_of(rises) if one in seen}
    rests = (one.since(steps[one.name].at_s) for one in seen if one.name in steps)
    going_on = [
        *(one for one in seen if one.name not in steps),
        *(one for one in significant([rest for rest in rests if rest is not None]) if one.matters),
    ]
    broken = [one for one in going_on if one.breaks_target]
    with_room = [one for one in going_on if one not in broken]
    told = " ".join(
        (*(_stepped(name, step) for name, step in steps.items()), *(_sentence(one) for one in with_room))
    )
    outcome = Verdict.FAIL if broken else Verdict.PASS
    found = tuple(Finding(why=_sentence(one)) for one in broken)
    return replace(
        _criterion(outcome, rises, told or None, found),
        facts={name: count for name, count in (("rose", len(with_room)), ("stepped", len(steps))) if count},
    )


def significant(rises: list[Rise]) -> list[Rise]:
    """Those that are beyond chance, so that over all of them a false alarm is no likelier than `ALPHA` (Holm)."""
    ordered = sorted(rises, key=lambda one: one.chance)
    for place, one in enumerate(ordered):
        if one.chance > ALPHA / (len(ordered) - place):
            return ordered[:place]
    return ordered


def steps_of(rises: Iterable[Rise]) -> Iterator[tuple[Rise, Jump]]:
    """Those of which one step is a better account than a rise. Figures of the same latencies answer together, by the mean."""
    found = [(one, best_jump(one.times_s, one.values)) for one in rises]
    for one, step in found:
        alike = [other.likelier for rise, other in found if rise.of == one.of and other is not None]
        if step is not None and step.after > step.before and np.mean(alike) >= np.log(LEAST_LIKELIER):
            yield one, step


def rises_of(sent: Latencies, delivered: Latencies, targets: Targets, within: Stretch) -> Iterator[Rise]:
    """The series that are judged, each with its trend; those with too few windows are left out."""
    within = within.whole
    for of, latencies, figures in (
        (
            "send",
            sent,
            (
                ("Average send latency", "avg_ms", targets.send_avg_ms),
                ("P95 of send latency", "p95_ms", targets.send_p95_ms),
            ),
        ),
        ("delivery", delivered, (("P95 of delivery latency", "p95_ms", targets.delivery_p95_ms),)),
    ):
        inside = (
            latencies.judged & (latencies.start_ns >= within.begin_ns) & (latencies.start_ns < within.end_ns)
        )
        count = int(inside.sum())
        if count == 0:
            continue
        enough_s = 2 * PLENTY * within.seconds / count  # so that a window seldom has too few
        width_s = max(enough_s, WIDTH_S)
        cut = windows(latencies.start_ns[inside], latencies.latency_ns[inside], width_s).telling
        for name, column, target_ms in figures:
            values = cut.figures[column].to_numpy(np.float64)
            found = trend(cut.middle_s, values)
            if found is not None:
                yield Rise(name, of, target_ms, found, cut.middle_s, values)


def _criterion(
    outcome: Verdict, rises: list[Rise], reason: str | None, findings: tuple[Finding, ...] = ()
) -> Criterion:
    examples, every = Faults.of(findings).told()
    return Criterion(
        id="drift.latency",
        title="Latency does not rise over the run (Theil-Sen slope, Mann-Kendall test)",
        target="0",
        observed=len(findings) if rises else None,
        unit="series",
        outcome=outcome,
        checked=len(rises),
        examples=examples,
        found=every,
        reason=reason,
    )


def _stepped(name: str, step: Jump) -> str:
    return (
        f"{name} rose from {step.before:,.1f} to {step.after:,.1f} ms at once, about minute {step.at_s // 60:,.0f} of the run: that is a "
        "step and no drift, for one step is a far better account of it than a rise that goes on."
    )


def _sentence(one: Rise) -> str:
    """How much it rose, how sure that is, and when the target is passed."""
    found = one.trend
    minutes = (found.end_s - found.begin_s) / 60
    return (
        f"{one.name} rose from {found.at(found.begin_s):,.1f} to {found.at(found.end_s):,.1f} ms in {minutes:,.0f} minutes "
        f"of steady load, by {found.slope_per_s * 3600:,.1f} ms an hour (95% interval {found.low * 3600:,.1f} to "
        f"{found.high * 3600:,.1f}); {_forecast(one)}."
    )


def _forecast(one: Rise) -> str:
    target = f"its target of {one.target_ms:g} ms"
    if one.crossing_s is None:
        return f"going on like this it never passes {target}"
    if one.crossing_s == 0:
        return f"it has passed {target}"
    hours = one.crossing_s / 3600
    after = f"{one.crossing_s / 60:,.0f} minutes" if hours < 2 else f"{hours:,.1f} hours"
    return f"going on like this it passes {target} {after} later"


def on_axis(within: Stretch, origin_ns: int) -> Stretch:
    """`within` on an axis that begins at `origin_ns` of its own clock."""
    return replace(within, begin_ns=within.begin_ns - origin_ns, end_ns=within.end_ns - origin_ns)
