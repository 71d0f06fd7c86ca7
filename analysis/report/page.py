"""``report.html``: one self-contained page. Texts of the run are escaped; nothing in it can run or load.

The page is plain HTML and SVG with its style sheet inside. Its content security policy forbids scripts and
the network, so that even a text that slipped through could do nothing.
"""

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.criteria import Verdict
from analysis.judgement import Judgement
from analysis.report import facts, groups, headline, meaning, numbers, panels, sections, server, trends
from analysis.report.drawing import elapsed
from analysis.visible import visible

TEMPLATES = Path(__file__).parent / "templates"
WHY_MOST = 300  # letters of a finding's sentence in the page; verdict.json has it whole
TEXT_MOST = 2000  # of any other text
LISTED_MOST = 100  # notes, and parts of the server that could not be read


def environment() -> Environment:
    """Jinja2 with everything escaped, control characters named, and unknown names an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: cut(value, TEXT_MOST) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["observed"] = numbers.observed
    made.filters["within"] = numbers.within
    made.filters["interval_name"] = numbers.interval_name
    made.filters["why"] = lambda text: cut(text, WHY_MOST)
    made.filters["number"] = numbers.number
    made.filters["moment"] = moment
    made.filters["svg"] = Markup  # only ever given what `analysis.report.drawing` made
    made.globals["css"] = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own
    made.globals["word"] = {str(key): value for key, value in headline.WORD.items()}
    made.globals["sign"] = {str(key): value for key, value in headline.SIGN.items()}
    return made


def render(judgement: Judgement) -> str:
    """The page of `judgement`."""
    verdict, run, timeline = judgement.verdict, judgement.run, judgement.timeline
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
            first_notes=[visible(note) for note in headline.notes(verdict)],
            sentence=headline.sentence(verdict, judgement.users, judgement.endpoint),
            faults=headline.faults(verdict),
            tiles=headline.tiles(verdict),
            duration=_duration(run.started_at, run.ended_at),
            findings=groups.sections(verdict["criteria"]),
            found={entry["id"] for entry in verdict["criteria"] if entry["examples"]},
            meaning=meaning.CRITERIA,
            counted=meaning.CHECKED,
            facts_of=facts.facts,
            glossary=meaning.GLOSSARY,
            at=lambda at_ns: _at(judgement, at_ns),
            latency=sections.latency(judgement),
            steps={series: sections.steps(timeline, series) for series in sections.SERIES},
            no_step={series: sections.no_step(timeline, series) for series in sections.SERIES},
            delivery=sections.delivery(judgement),
            load=sections.load(judgement),
            database=sections.database(judgement),
            load_panels=panels.figures("load", judgement.load_panels, judgement.panels_s, timeline),
            server_panels=panels.figures("server", judgement.server.panels, judgement.panels_s, timeline),
            marks=sections.marks(timeline),
            still=judgement.server.still,
            tables=server.tables(judgement.server),
            left_out=dict(islice(judgement.server.left_out.items(), LISTED_MOST)),
            notes=run.notes[:LISTED_MOST],
            trends=trends.table(judgement.trends),
            facts=judgement.database,
            settings=run.settings,
            passed=Verdict.PASS.value,
        )
    )


def cut(text: str, most: int) -> str:
    """`text` as it may be shown, and no more of it than so many letters: a page stays small whatever is written in a run."""
    shown = visible(text[: most + 1])
    return shown if len(shown) <= most else f"{shown[:most]}…"


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
