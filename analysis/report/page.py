"""``report.html``: one self-contained page. Texts of the run are escaped; nothing in it can run or load.

The page is plain HTML and SVG with its style sheet inside. Its content security policy forbids scripts and
the network, so that even a text that slipped through could do nothing.
"""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.criteria import Verdict
from analysis.judgement import Judgement
from analysis.report import headline, load_side, meaning, numbers, plots, server, trends
from analysis.report.drawing import elapsed
from analysis.report.figures import Figure, Table
from analysis.report.groups import groups
from analysis.report.visible import visible
from analysis.timeline import Timeline

TEMPLATES = Path(__file__).parent / "templates"
ROWS_SHOWN = (
    12  # findings of a criterion that are open to the eye; more of them are put in groups, and unfold
)
ROWS_OF_GROUP = 3  # findings of a group that are open to the eye
GROUPS_MOST = 30  # groups of a criterion in the page
ROWS_MOST = 150  # findings of a criterion in the page; verdict.json has up to 1,000
RESTARTS_TOLD = 5  # of PostgreSQL, beside a plot


def environment() -> Environment:
    """Jinja2 with everything escaped, control characters named, and unknown names an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["observed"] = numbers.observed
    made.filters["interval"] = numbers.interval
    made.globals["fact"] = numbers.fact
    made.filters["number"] = numbers.number
    made.filters["moment"] = moment
    made.filters["svg"] = Markup  # only ever given what `analysis.report.drawing` made
    made.globals["css"] = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own
    made.globals["word"] = {str(key): value for key, value in headline.WORD.items()}
    made.globals["sign"] = {str(key): value for key, value in headline.SIGN.items()}
    return made


def render(judgement: Judgement) -> str:
    """The page of `judgement`."""
    verdict, run = judgement.verdict, judgement.run
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            verdict=verdict,
            run=run,
            outcome=verdict["outcome"],
            release=headline.RELEASE[Verdict(verdict["outcome"])],
            reasons=headline.reasons(verdict),
            certainty=headline.certainty(verdict),
            sentence=headline.sentence(verdict, judgement.users, judgement.endpoint),
            faults=headline.faults(verdict),
            tiles=headline.tiles(verdict),
            duration=_duration(run.started_at, run.ended_at),
            findings=[entry for entry in verdict["criteria"] if entry["examples"]],
            found={entry["id"] for entry in verdict["criteria"] if entry["examples"]},
            groups=groups,
            meaning=meaning.CRITERIA,
            glossary=meaning.GLOSSARY,
            rows_shown=ROWS_SHOWN,
            rows_of_group=ROWS_OF_GROUP,
            groups_most=GROUPS_MOST,
            rows_most=ROWS_MOST,
            at=lambda at_ns: _at(judgement, at_ns),
            latency=_latency_figures(judgement),
            delivery=_delivery_figures(judgement),
            load=[
                *([_throughput_figure(judgement)] if len(judgement.timeline.rates) else []),
                *load_side.figure(judgement.load, judgement.timeline),
            ],
            database=_database_figures(judgement),
            tables=server.tables(judgement.server),
            left_out=judgement.server.left_out,
            trends=trends.table(judgement.trends),
            facts=judgement.database,
            settings=run.settings,
            passed=Verdict.PASS.value,
        )
    )


def _latency_figures(judgement: Judgement) -> list[Figure]:
    timeline, targets = judgement.timeline, judgement.targets
    if not len(timeline.sends):
        return []
    every = f"{timeline.width_s} s"
    figures = [
        Figure(
            "Send latency over time",
            plots.send_latency(timeline, targets),
            f"Lines of the average, P50, P95, P99 and the maximum of send latency in every {every}, with the targets "
            f"{targets.send_avg_ms:g} ms for the average and {targets.send_p95_ms:g} ms for P95.",
            f"Every point is computed from all acknowledged messages that first left in its {every}. "
            f"Dashed: the targets. Shaded: the warm-up, which is not judged.{_restarted(timeline)}",
            _latency_table(timeline.sends_coarse, timeline.coarse_s),
        )
    ]
    if timeline.send_histogram is not None or timeline.delivery_histogram is not None:
        figures.append(
            Figure(
                "Distribution of latencies",
                plots.distribution(timeline, targets),
                "Histograms of send latency and of delivery latency on one logarithmic axis, with their targets.",
                "After the warm-up. Bars count sends above, and deliveries below.",
            )
        )
    return figures


def _delivery_figures(judgement: Judgement) -> list[Figure]:
    timeline, targets = judgement.timeline, judgement.targets
    if not len(timeline.deliveries):
        return []
    return [
        Figure(
            "Delivery latency over time",
            plots.delivery_latency(timeline, targets),
            f"Lines of the average, P50, P95, P99 and the maximum of delivery latency in every {timeline.width_s} s, "
            f"with the target {targets.delivery_p95_ms:g} ms for P95.",
            "From the moment a message first left its sender to the Realtime event at each recipient "
            f"but its author, placed at the time it was sent.{_restarted(timeline)}",
            _latency_table(timeline.deliveries_coarse, timeline.coarse_s),
        )
    ]


def _restarted(timeline: Timeline) -> str:
    """What the red bands are, and when."""
    times = [
        f"at {elapsed(before_s)} (away for at most {numbers.number(after_s - before_s)} s)"
        for before_s, after_s in timeline.restarts
    ]
    if not times:
        return ""
    if len(times) > RESTARTS_TOLD:
        times = [*times[:RESTARTS_TOLD], f"{len(times) - RESTARTS_TOLD} more times"]
    return f" Red bands: PostgreSQL restarted {numbers.listed(times)}."


def _throughput_figure(judgement: Judgement) -> Figure:
    timeline = judgement.timeline
    return Figure(
        "Throughput and users",
        plots.throughput(timeline),
        f"Steps of acknowledged and not acknowledged sends and of deliveries a second, "
        f"and of the number of users, at most {judgement.users}.",
        f"Sends by the time they left, deliveries by the time they arrived, in buckets of {timeline.width_s} s.",
    )


def _database_figures(judgement: Judgement) -> list[Figure]:
    timeline = judgement.timeline
    figures = []
    if len(timeline.polls) or timeline.occurrences:
        figures.append(
            Figure(
                "Findings and the monitor's polls",
                plots.findings(timeline),
                f"{len(timeline.occurrences)} findings over time by criterion, above the duration of the monitor's polls.",
                "A stroke for each finding whose time is known. A cross: the database did not answer."
                + _restarted(timeline),
            )
        )
    if judgement.server.panels:
        figures.append(server.figure(judgement.server, timeline))
    return figures


def _latency_table(series: pd.DataFrame, width_s: int) -> Table:
    head = ("From", "Count", "Average ms", "P50 ms", "P95 ms", "P99 ms", "Max ms")
    rows = [
        (
            elapsed(float(at_s)),
            numbers.number(int(count)),
            *(numbers.number(float(figure)) for figure in figures),
        )
        for at_s, (count, *figures) in zip(series.index, series.itertuples(index=False), strict=True)
    ]
    return Table((f"{head[0]} (+{elapsed(width_s)})", *head[1:]), rows)


def _at(judgement: Judgement, at_ns: int | None) -> str:
    """When a finding was seen, on the axis of the plots."""
    at_s = judgement.seconds(at_ns)
    return "" if at_s is None else elapsed(at_s)


def moment(iso: str | None) -> str:
    """A time of ``run.json`` as people read it, in UTC."""
    if iso is None:
        return "not ended"
    return _parsed(iso).strftime("%d %B %Y, %H:%M:%S UTC").lstrip("0")


def _duration(started_at: str | None, ended_at: str | None) -> str | None:
    if started_at is None or ended_at is None:
        return None
    return elapsed((_parsed(ended_at) - _parsed(started_at)).total_seconds())


def _parsed(iso: str) -> datetime:
    return datetime.fromisoformat(iso).astimezone(UTC)
