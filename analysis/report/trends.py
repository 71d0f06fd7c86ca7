"""The trends of a soak on the page: a table of every series, whether it moved beyond chance, and when it would cross its bound."""

from analysis.report import numbers
from analysis.report.figures import Table, Titled
from analysis.trends import SeriesTrend, Trends

LEAST_P = 0.001  # smaller ones are told as such
HOURS_FROM = 2.0
FAR_H = 24 * 365.0  # a straight line says nothing about years

HEAD = (
    "Series",
    "From",
    "To",
    "Slope per hour",
    "95% interval",
    "p",
    "Target or bound",
    "There in",
)


def table(found: Trends | None) -> Titled | None:
    """All rows; None for a run without any."""
    if found is None or not found.rows:
        return None
    still = f" Never moved: {numbers.listed(list(found.still))}." if found.still else ""
    return Titled(
        "Trends under steady load",
        f"Of {found.minutes:,.0f} minutes in which the number of users stood at its highest, and the planned rate of an open workload still; of "
        "the server's own figures without the first fifth. Slope: Theil and Sen. p: how likely a series without a trend shows one as strong, up or down (Mann and "
        "Kendall, of few points least squares as well; widened for autocorrelation). “There in”: when a straight line would be at the target or bound, counted from "
        "the end, and in brackets by the ends of the interval of its slope; not of what may have moved by chance (p above 0.05; of twenty series without a trend one "
        "has less), nor of a latency that moved at once, by a step. Those with a "
        f"target or bound are judged, by drift.latency and drift.database. Counters are rates.{still}",
        Table(HEAD, [_row(one) for one in found.rows], words=("There in",)),
    )


def _row(one: SeriesTrend) -> tuple[str, ...]:
    found = one.found
    low, high = (numbers.number(slope * 3600) for slope in (found.low, found.high))
    return (
        f"{one.name}, {one.unit}" if one.unit else one.name,
        numbers.number(found.at(found.begin_s)),
        numbers.number(found.at(found.end_s)),
        numbers.number(found.slope_per_s * 3600),
        f"{low} to {high}",
        f"< {LEAST_P:g}" if found.p_value < LEAST_P else f"{found.p_value:.3f}",
        "–" if one.bound is None else numbers.number(one.bound),
        _forecast(one),
    )


def _forecast(one: SeriesTrend) -> str:
    if one.bound is None:
        return "–"
    if one.stepped:
        return "a step"
    if not one.beyond_chance:
        return "has been" if one.is_there else "not beyond chance"
    if one.crossing_s == 0:
        return "has been"
    if one.crossing_s is None or one.soonest_s is None or _is_far(one.soonest_s):
        return "never"
    return f"{_in(one.crossing_s)} ({_in(one.soonest_s)} to {_in(one.latest_s)})"


def _in(seconds: float | None) -> str:
    if seconds is None or _is_far(seconds):
        return "never"
    hours = seconds / 3600
    return f"{hours:,.1f} h" if hours >= HOURS_FROM else f"{60 * hours:,.0f} min"


def _is_far(seconds: float) -> bool:
    return seconds / 3600 > FAR_H
