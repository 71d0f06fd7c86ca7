"""Whether the statistics keep what they promise: simulated runs whose truth is known.

Latencies are log-normal around a level that moves from second to second as an autoregressive series of the first
order, so that their P95 is known exactly. A soak's level moves likewise, from minute to minute; minutes begin anywhere in the windows
that are judged. Drifts go through
the product's own criterion, with its part of the run, its windows and its three series.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from analysis.checks.steady import SETTLING_SHARE, Stretch
from analysis.criteria import Verdict
from analysis.history.comparison import Bounds, Word, compare_figures
from analysis.history.figures import Figure
from analysis.latency import NS_PER_MS, Targets, average_ms, nearest_rank
from analysis.latency import Latencies as Judged
from analysis.latency_drift import latency_drift
from analysis.statistics.intervals import average_interval, percentile_interval
from analysis.statistics.steps import find_steps
from analysis.statistics.warmup import find_warmup

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Latencies = tuple[Ints, Ints]  # when each began, and how long it took, in nanoseconds

RUNS = 200
INTERVAL_RUNS = 500
SECONDS = 900
LENGTHS_S = (60, 180, 300, 600, SECONDS, 1800, 3000, 3600)
SHORT_S = (20, 60, 180)
SEED = 20251123
PER_S = 20
MEDIAN_MS = 100.0
LEVEL = 0.2  # standard deviation of the level, on the logarithmic scale
SINGLE = 0.4  # of a single latency around it
NS_PER_S = 1_000_000_000
SOAK_NOISE = 0.05  # of a one-minute P95
WAVES = {1: LEVEL, 60: SOAK_NOISE}  # standard deviation of a level that moves every so many seconds
SOAK_S = 3600
SOAK_WINDOWS = 60
SOAKS_S = (600, 1200, 1800, 3600)
ALIKE = (0.0, 0.3, 0.5, 0.6, 0.8)
SOAK_PER_S = 10
DRIFT_FROM = 1.8  # times the median: P95 347 ms, and 416 ms at the end
DOUBLING_FROM = 1.2
NEAR_TARGET = 2.4  # P95 463 ms: a rise seen there would fail the run
TARGETS = Targets.of({"CHATSOAK_WARMUP_S": 0})


def autocorrelated(rng: np.random.Generator, count: int, alike: float) -> Floats:
    """Normal noise of variance 1 whose neighbours correlate by `alike`."""
    noise = rng.standard_normal(count)
    noise[1:] *= np.sqrt(1 - alike**2)
    for place in range(1, count):
        noise[place] += alike * noise[place - 1]
    return noise


def latencies(rng: np.random.Generator, seconds: int, alike: float, every_s: int = 1) -> Latencies:
    """A run of `seconds` with about `PER_S` latencies in each, whose level moves every `every_s`."""
    levels = WAVES[every_s] * autocorrelated(rng, -(-seconds // every_s), alike)
    level = np.repeat(levels, every_s)[:seconds]
    second = np.repeat(np.arange(seconds), rng.poisson(PER_S, seconds))
    start_ns = second * NS_PER_S + rng.integers(0, NS_PER_S, len(second))
    latency_ms = MEDIAN_MS * np.exp(level[second] + SINGLE * rng.standard_normal(len(second)))
    return start_ns, (latency_ms * 1e6).astype(np.int64)


def soak(rng: np.random.Generator, windows: int, alike: float) -> Floats:
    """The P95 of each window of a soak without a trend and without a step, in milliseconds."""
    return MEDIAN_MS * np.exp(SOAK_NOISE * autocorrelated(rng, windows, alike))


def soaked(
    rng: np.random.Generator, alike: float, scale: float = 1.0, rise: float = 0.0, seconds: int = SOAK_S
) -> Judged:
    """The latencies of a soak, whose level rises by `rise` of itself over it."""
    count = rng.poisson(SOAK_PER_S * seconds)
    at_s = np.sort(rng.random(count)) * seconds
    minute = ((at_s + 60 * rng.random()) // 60).astype(np.int64)
    level = SOAK_NOISE * autocorrelated(rng, seconds // 60 + 2, alike)[minute]
    latency_ms = scale * MEDIAN_MS * np.exp(level + SINGLE * rng.standard_normal(count))
    latency_ms *= 1 + rise * at_s / seconds
    ones = np.ones(count, np.bool_)
    start_ns = (at_s * NS_PER_S).astype(np.int64)
    return Judged(start_ns, (latency_ms * 1e6).astype(np.int64), ones, ones.astype(np.int16))


def drift_share(runs: int, alike: float, scale: float, rise: float, seconds: int = SOAK_S) -> float:
    """The share of soaks that fail `drift.latency`; deliveries are stationary, and near no target."""
    rng = np.random.default_rng(SEED)
    steady = Stretch(round(SETTLING_SHARE * seconds * NS_PER_S), seconds * NS_PER_S, float(seconds))
    outcomes = [
        latency_drift(
            soaked(rng, alike, scale, rise, seconds), soaked(rng, alike, seconds=seconds), TARGETS, steady
        ).outcome
        for _ in range(runs)
    ]
    return outcomes.count(Verdict.FAIL) / runs


def nights(rng: np.random.Generator, noise: float) -> Floats:
    """Sixty nights with a regression of 12% at the thirtieth."""
    values = MEDIAN_MS * np.exp(noise * rng.standard_normal(60))
    values[30:] *= 1.12
    return values


def interval_coverage(
    runs: int, alike: float, seconds: int = SECONDS, every_s: int = 1
) -> tuple[float, float]:
    """The share of runs whose 95% interval holds the true average, and the true P95."""
    rng = np.random.default_rng(SEED)
    spread = np.hypot(WAVES[every_s], SINGLE)
    average_ms = MEDIAN_MS * np.exp(spread**2 / 2)
    p95_ms = MEDIAN_MS * np.exp(spread * NormalDist().inv_cdf(0.95))
    held = np.zeros(2)
    for _ in range(runs):
        run = latencies(rng, seconds, alike, every_s)
        for place, (truth_ms, found) in enumerate(
            ((average_ms, average_interval(*run)), (p95_ms, percentile_interval(*run, 95)))
        ):
            assert found is not None
            held[place] += found.ends[0] <= truth_ms <= found.ends[1]
    average, p95 = held / runs
    return float(average), float(p95)


def pairs_of_short_runs(runs: int, alike: float, seconds: int, every_s: int = 1) -> tuple[float, float]:
    """The share of pairs of short runs of the same thing of which any latency is called a regression, and of those in which
    the second takes twice as long, of which P95 is; without a history."""
    rng = np.random.default_rng(SEED)
    told = np.zeros(2)
    for _ in range(runs):
        (start_ns, latency_ns), again = (latencies(rng, seconds, alike, every_s) for _ in range(2))
        first = _figures_of_short_run(start_ns, latency_ns)
        for place, slower in enumerate((1, 2)):
            second = _figures_of_short_run(again[0], again[1] * slower)
            changes = compare_figures(first, second, bounds=Bounds(), nights={}, incomparable=None)
            worse = [change.measure.id for change in changes if change.word is Word.REGRESSION]
            told[place] += bool(worse) if slower == 1 else "send.p95" in worse
    same, doubled = told / runs
    return float(same), float(doubled)


def _figures_of_short_run(start_ns: Ints, latency_ns: Ints) -> dict[str, Figure]:
    found = {"send.avg": (average_ms(latency_ns), average_interval(start_ns, latency_ns))} | {
        f"send.p{percent}": (
            nearest_rank(latency_ns, percent) / NS_PER_MS,
            percentile_interval(start_ns, latency_ns, percent),
        )
        for percent in (50, 95, 99)
    }
    return {
        name: Figure(value_ms, estimate.ends if estimate else None, at_least=True)
        for name, (value_ms, estimate) in found.items()
    }


def drifts(runs: int, alike: float, seconds: int) -> tuple[float, float, float]:
    """The share of soaks that fail: of stationary ones near their target, of those that rise by a fifth, and that double."""
    return (
        drift_share(runs, alike, NEAR_TARGET, 0.0, seconds),
        drift_share(runs, alike, DRIFT_FROM, 0.2, seconds),
        drift_share(runs, alike, DOUBLING_FROM, 1.0, seconds),
    )


def false_alarms(runs: int, alike: float) -> tuple[float, float]:
    """The share of stationary soaks in which a step, or a warm-up is found."""
    rng = np.random.default_rng(SEED)
    steps = cuts = 0
    for _ in range(runs):
        steps += bool(find_steps(soak(rng, SOAK_WINDOWS, alike)))
        cuts += find_warmup(*latencies(rng, 300, alike)).end_s > 0
    return steps / runs, cuts / runs


def regressions_found(runs: int, noise: float) -> tuple[float, float]:
    """The share of nightly histories in which the one regression is found at its night, and alone; and any other alarm."""
    rng = np.random.default_rng(SEED)
    right = others = 0
    for _ in range(runs):
        places = [step.index for step in find_steps(nights(rng, noise), independent=True)]
        right += places == [30]
        others += any(abs(place - 30) > 2 for place in places)
    return right / runs, others / runs


def measure(runs: int = RUNS, interval_runs: int = INTERVAL_RUNS) -> tuple[str, dict[str, object]]:
    """All of it: markdown tables, and the figures."""
    coverage = {
        f"{alike:g} from {wave} to {wave}": {
            seconds: interval_coverage(interval_runs, alike, seconds, every_s) for seconds in LENGTHS_S
        }
        for wave, every_s, of in (("second", 1, (0.0, 0.5, 0.8, 0.95)), ("minute", 60, (0.0, 0.5, 0.8)))
        for alike in of
    }
    pairs = {
        f"{seconds} s, {alike:g} from {wave} to {wave}": pairs_of_short_runs(runs, alike, seconds, every_s)
        for seconds in SHORT_S
        for wave, every_s, of in (("second", 1, (0.0, 0.8, 0.95)), ("minute", 60, (0.0, 0.5, 0.8)))
        for alike in of
    }
    alarms = {f"{alike:g}": false_alarms(runs, alike) for alike in ALIKE}
    rises = {
        f"{seconds} s, {alike:g}": drifts(runs, alike, seconds) for seconds in SOAKS_S for alike in ALIKE
    }
    steps = {f"{noise:g}": regressions_found(runs, noise) for noise in (0.02, 0.03)}
    text = "\n\n".join(
        (
            f"{interval_runs} simulated runs a row of the first table, {runs} of the others; seeded. Neighbours: the autocorrelation from second to second, or from minute to minute.",
            _coverage_table(coverage),
            _table(
                ("two short runs, neighbours", "any latency called a regression", "a doubled P95 is"), pairs
            ),
            _table(("soak, neighbours", "rise seen where none is", "rise of 20% found", "of 100%"), rises),
            _table(("neighbours", "step seen where none is", "warm-up"), alarms),
            _table(("noise of nights", "12% at the right night alone", "any other alarm"), steps),
        )
    )
    return text, {
        "coverage": coverage,
        "short_runs": pairs,
        "false_alarms": alarms,
        "drifts": rises,
        "nights": steps,
    }


def _coverage_table(coverage: dict[str, dict[int, tuple[float, float]]]) -> str:
    """Of each kind of run and each length how often the average's interval held, and P95's."""
    lines = [
        f"| neighbours | {' | '.join(f'{seconds:,} s' for seconds in LENGTHS_S)} |",
        f"|---{'|--:' * len(LENGTHS_S)}|",
    ]
    for name, by_length in coverage.items():
        cells = (f"{100 * average:.1f}, {100 * p95:.1f}" for average, p95 in by_length.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _table(head: tuple[str, ...], rows: dict[str, tuple[float, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|---{'|--:' * (len(head) - 1)}|"]
    lines += [
        f"| {name} | {' | '.join(f'{share:.1%}' for share in shares)} |" for name, shares in rows.items()
    ]
    return "\n".join(lines)
