"""The page: self-contained, safe, complete, and small."""

import ast
import re
import uuid
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis import load_side, server
from analysis.criteria import Finding
from analysis.faults import MAX_EXAMPLES, Faults, from_faults
from analysis.judgement import Judgement
from analysis.record.codes import PollKind
from analysis.record.tables import DATABASE_TABLES
from analysis.report import facts, meaning, page
from analysis.report.groups import ROWS_MOST, ROWS_OF_GROUP
from analysis.report.numbers import within
from analysis.report.page import WHY_MOST
from analysis.verdict import ORDER, assemble
from tests.analysis.histories import ns, us
from tests.analysis.report.judgements import (
    HOSTILE,
    Told,
    busy_day,
    clean,
    empty,
    faulty,
    held_up,
    judged,
    soaked,
)

ROOT = Path(__file__).resolve().parents[3]
VOID = {"meta", "br", "img", "input", "link", "hr", "path", "use", "line"}


class Seen(HTMLParser):
    """What a browser would make of a page: elements, their attributes, their nesting and their text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module", params=[clean, faulty, empty], ids=["clean", "faulty", "empty"])
def html(request: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return page.render(judged(request.param(), tmp_path_factory.mktemp("runs") / "run"))


def test_every_element_is_closed_where_it_belongs(html: str) -> None:
    seen = Seen(html)
    assert seen.open == []
    ids = [attributes["id"] for _, attributes in seen.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_nothing_in_it_runs_and_nothing_is_loaded(html: str) -> None:
    seen = Seen(html)
    allowed = {
        "a", "body", "b", "br", "code", "dd", "details", "div", "dl", "dt", "figcaption", "figure", "footer", "h1",
        "h2", "h3", "h4", "head", "header", "html", "li", "main", "meta", "nav", "p", "section", "small", "span", "strong",
        "style", "summary", "table", "tbody", "td", "th", "thead", "title", "tr", "ul",
        "svg", "defs", "g", "path", "text", "tspan", "use", "clippath", "rect",
    }  # fmt: skip
    assert {tag for tag, _ in seen.tags} <= allowed
    for _, attributes in seen.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert "url(http" not in html
    assert "@import" not in html


def test_a_hostile_text_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    html = page.render(judged(faulty(), tmp_path / "run"))
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("</style>") == 1
    assert "\u202e" not in html
    assert "\x07" not in html
    assert "<script>alert(1)</script>" in Seen(html).text


def test_the_first_screen_answers(tmp_path: Path) -> None:
    passed = Seen(page.render(judged(clean(), tmp_path / "run"))).text
    first = passed[: passed.index("What was checked Latency")]
    assert "Not known: this run cannot say whether this may be released." in first
    assert "60 messages and 180 deliveries were followed one by one" in first
    assert "20 Locust users sent 60 messages through /api/messages" in first
    assert "into PostgreSQL: all were acknowledged and stored" in first
    assert "All 180 deliveries owed to participants arrived" in first
    assert "target < 300 ms" in first
    assert "target < 500 ms" in first


def test_every_criterion_stands_with_what_it_checked(tmp_path: Path) -> None:
    judgement = judged(clean(), tmp_path / "run")
    text = Seen(page.render(judgement)).text
    for entry in judgement.verdict["criteria"]:
        assert entry["id"] in text
        assert entry["title"] in text


def test_findings_are_named_by_their_ids(tmp_path: Path) -> None:
    history = faulty()
    text = Seen(page.render(judged(history, tmp_path / "run"))).text
    assert str(history.messages[-1].id) in text
    assert str(history.chat_id(0)) in text


def test_five_thousand_findings_make_no_large_page_and_are_counted(tmp_path: Path) -> None:
    judgement = judged(clean(), tmp_path / "run")
    findings = [Finding(f"delivery number {number} is missing", seq=number) for number in range(4500)]
    findings += [Finding(f"came {number} s late", seq=number) for number in range(500)]
    found = from_faults("realtime.missed", "Missed deliveries", "deliveries", 9000, Faults.of(findings))
    verdict = assemble(judgement.run, judgement.verdict["counts"], [found])
    html = page.render(replace(judgement, verdict=verdict))
    text = Seen(html).text
    assert "5,000 findings, 2 kinds: 5,000 deliveries observed among 9,000 deliveries checked" in text
    assert f"{ROWS_MOST} of them are shown here, and verdict.json names 1,000" in text
    assert "4,500 × delivery number … is missing" in text
    assert "500 × came … s late" in text
    last = ROWS_MOST - ROWS_OF_GROUP - 1
    assert f"delivery number {last} is missing" in text
    assert f"delivery number {last + 1} is missing" not in text
    assert f"came {ROWS_OF_GROUP - 1} s late" in text
    assert len(html) < 1_000_000


def test_a_finding_has_the_number_of_its_place_in_the_verdict(tmp_path: Path) -> None:
    judgement = judged(faulty(), tmp_path / "run")
    html = page.render(judgement)
    for entry in judgement.verdict["criteria"]:
        for number, example in enumerate(entry["examples"], 1):
            row = re.search(rf'<tr id="{re.escape(entry["id"])}-{number}">.*?</tr>', html, flags=re.DOTALL)
            assert row is not None
            assert example["client_generated_id"] in row.group()
            recipients = example.get("recipient_ids", [example.get("recipient_id")])
            assert all(f"<code>{one}</code>" in row.group() for one in recipients)


def test_plots_follow_the_colours_of_the_page_and_say_what_they_show(tmp_path: Path) -> None:
    html = page.render(judged(clean(), tmp_path / "run"))
    drawn = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(drawn) == 18  # nine plots, each in two sizes
    style = html[html.index("<style>") : html.index("</style>")]
    for svg in drawn:
        assert not re.search(r"(fill|stroke): #(?!none)", svg)
        for role in re.findall(r"var\((--plot-\w+)\)", svg):
            assert f"{role}:" in style
    images = [attributes for _, attributes in Seen(html).tags if attributes.get("role") == "img"]
    assert len(images) == 9
    assert all(attributes["aria-label"] for attributes in images)


def test_beside_every_plot_stands_the_same_as_a_table(tmp_path: Path) -> None:
    html = page.render(judged(clean(), tmp_path / "run"))
    figures = re.findall(r"<figure>.*?</figure>", html, flags=re.DOTALL)
    assert len(figures) == 9
    for figure in figures:
        assert figure.count("<svg") == 2
        assert "The same as" in figure
        assert figure.count("<td") > 3
    (load,) = [figure for figure in figures if "Throughput and users" in figure]
    assert "0:05 0.00 (0) 1.00 (1) 3.00 (3) 6 to 10" in Seen(load).text  # a message a second, to three people


def test_restarts_of_postgresql_are_marked_in_the_plots_and_told_beside_them(tmp_path: Path) -> None:
    history = clean()
    place = DATABASE_TABLES["polls"].names.index("server_us")
    history.rows["polls"] = [
        (*look[:place], us((look[2] - ns(0)) // 10**9 // 20 * 20.0), *look[place + 1 :])
        for look in history.rows["polls"]
        if look[1] != PollKind.FAILED and look[2] < ns(60)
    ]
    html = page.render(judged(history, tmp_path / "run"))
    said = "Red bands: PostgreSQL restarted at 0:18 (away for at most 1.00 s) and at 0:38 (away for at most 1.00 s)."
    # With the plots of latency, load, findings, and once with the load processes' and with the server's.
    assert Seen(html).text.count(said) == 6
    # Once in each plot that has room for words, and in the first of those two, in two sizes.
    drawn = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert sum(svg.count("PostgreSQL restarted") for svg in drawn) == 2 * 5


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    judgement = judged(faulty(), tmp_path / "run")
    assert page.render(judgement) == page.render(judgement)


def test_a_run_without_a_send_or_cut_off_still_has_a_page(tmp_path: Path) -> None:
    text = Seen(page.render(judged(empty(), tmp_path / "empty"))).text
    assert "No message was sent." in text
    history = clean()
    history.ended = False
    cut_off = Seen(page.render(judged(history, tmp_path / "cut"))).text
    assert "The run was cut off before its end." in cut_off


def test_a_sentence_about_the_fault_leads_to_its_findings(tmp_path: Path) -> None:
    seen = Seen(page.render(judged(faulty(), tmp_path / "run")))
    ids = {attributes["id"] for _, attributes in seen.tags if "id" in attributes}
    links = {(attributes.get("href") or "")[1:] for tag, attributes in seen.tags if tag == "a"}
    assert {
        "findings-messages.lost",
        "findings-errors.send",
        "messages.lost-1",
        "messages.lost-40",
    } <= ids & links
    assert links <= ids


def test_every_criterion_and_term_is_explained(tmp_path: Path) -> None:
    assert set(meaning.CRITERIA) == set(ORDER)
    text = Seen(page.render(judged(clean(), tmp_path / "run"))).text
    for words in (meaning.CRITERIA["messages.lost"], *meaning.GLOSSARY, *meaning.GLOSSARY.values()):
        assert words in text


def explained(judgement: Judgement) -> None:
    for entry in judgement.verdict["criteria"]:
        for name, fact in zip(entry["facts"], facts.facts(entry), strict=True):
            assert fact.meaning, f"{entry['id']}: nothing says what {name} is"


@pytest.mark.parametrize("history", [clean, faulty, empty, held_up, soaked])
def test_every_figure_beside_a_criterion_is_shown_and_explained(history: Any, tmp_path: Path) -> None:
    judgement = judged(history(), tmp_path / "run")
    explained(judgement)
    text = Seen(page.render(judgement)).text
    for entry in judgement.verdict["criteria"]:
        for fact in facts.facts(entry):
            assert f"{fact.text} {fact.meaning}" in text


def test_every_figure_that_a_check_may_tell_is_explained() -> None:
    """Also those that no history here brings about: by what stands in the code."""
    names = set()
    for path in [*(ROOT / "analysis" / "checks").glob("*.py"), *(ROOT / "analysis").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "facts" and isinstance(node.value, ast.Dict):
                names |= {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
    assert {"recovered", "open", "nothing_to_be_had", "dropped"} <= names
    known = {name.rpartition(".")[2] for name in facts.FACTS}
    assert names <= known


def test_every_small_plot_is_explained(tmp_path: Path) -> None:
    told = judged(clean(), tmp_path / "of_load").load_panels
    assert told
    of_server = {panel.title for panel in server.panels_of(pd.DataFrame(), 1, 1)}
    of_load = {panel.title for panel in load_side.panels_of(clean().evidence().generator, 1, 1)}
    assert set(meaning.PANELS) == of_server | of_load
    text = Seen(page.render(judged(clean(), tmp_path / "run"))).text
    assert meaning.PANELS["Connections by state"] in text


def test_the_first_screen_says_how_sure_each_latency_is_and_counts_faults_of_the_app_alone(
    tmp_path: Path,
) -> None:
    text = Seen(page.render(judged(faulty(), tmp_path / "run"))).text
    first = text[: text.index("What was checked Latency")]
    for entry in judged(faulty(), tmp_path / "again").verdict["criteria"]:
        if entry["id"].startswith("latency."):
            assert f"95% interval {within(entry)}" in first
    assert "the true P95 of delivery between" in first  # it is a short run
    assert re.search(r"the true share of sends without an acknowledgement between [\d.]+ and [\d.]+%", first)
    assert "Found 40 lost messages." in first
    assert "Faults 40 " in first
    untroubled = Seen(page.render(judged(clean(), tmp_path / "clean"))).text
    assert "Faults 0 " in untroubled  # though the monitor was blind for a while


def test_a_step_is_told_below_the_plot_and_marked_in_all(tmp_path: Path) -> None:
    judgement = judged(soaked(), tmp_path / "run")
    steps = [step for step in judgement.verdict["steps"] if step["criterion"] == "latency.send.p95"]
    assert [step["at_s"] for step in steps] == [pytest.approx(600, abs=10)]
    html = page.render(judgement)
    text = Seen(html).text
    assert "Steps of send latency" in text
    assert re.search(r"(9:5\d|10:0\d) 100\.0 ms 160\.0 ms \+60% < 0\.001 a checkpoint", text)
    over_time = [
        figure
        for figure in re.findall(r"<figure>.*?</figure>", html, flags=re.DOTALL)
        if "Distribution" not in figure
    ]
    assert all("var(--plot-step)" in figure for figure in over_time)


def test_a_run_without_a_step_says_what_was_looked_for(tmp_path: Path) -> None:
    text = Seen(page.render(judged(clean(), tmp_path / "run"))).text
    assert "Too short to look for steps of send latency: that takes 30 windows of 20 s" in text
    assert "No step" not in text
    html = page.render(judged(soaked(), tmp_path / "soak"))
    assert "No step of a tenth or more was found in the P95 of delivery latency" in Seen(html).text
    assert re.search(r"P50 [\d.,]+ ms \(95% interval at least [\d.,]+ to [\d.,]+\)", html)


def test_an_open_workload_shows_where_response_and_service_time_part(tmp_path: Path) -> None:
    judgement = judged(held_up(), tmp_path / "run")
    text = Seen(page.render(judgement)).text
    assert "Response P95 ms" in text
    assert "0:20 5 2,100 100.0 2,000" in text  # five sends of these seconds, held up for two
    assert "0:40 5 100.0 100.0 0.00" in text
    assert "Response P95 ms" not in Seen(page.render(judged(clean(), tmp_path / "closed"))).text


def test_a_long_text_is_cut_in_the_page_and_whole_in_the_verdict(tmp_path: Path) -> None:
    judgement = judged(clean(), tmp_path / "run")
    found = from_faults("seq.gaps", "Gaps", "numbers", 1, Faults.of([Finding("word " * 200)]))
    verdict = assemble(judgement.run, judgement.verdict["counts"], [found])
    text = Seen(page.render(replace(judgement, verdict=verdict))).text
    assert f"{'word ' * (WHY_MOST // 5)}…" in text
    assert verdict["criteria"][0]["examples"][0]["why"] == "word " * 200


def test_a_day_of_sends_makes_a_page_below_5_mb_that_shows_its_one_spike(tmp_path: Path) -> None:
    history = Told(people=2)
    chat = history.chat(0, 1)
    for number in range(20_000):
        took = 4.321 if number == 12_345 else 0.05
        history.send(number % 2, chat, at=number * 86_400 / 20_000, took=took, seq=number + 1)
    for second in range(0, 86_400, 30):
        history.fare(second, users=20)
        history.rows["gauges"].append((ns(second), "connections.active", float(second % 7)))
    history.finish()
    judgement = judged(history, tmp_path / "run")
    assert judgement.timeline.end_s > 86_000
    assert judgement.timeline.sends["max_ms"].max() == pytest.approx(4321)
    assert len(page.render(judgement)) < 5_000_000


@pytest.mark.long
def test_a_page_stays_below_5_mb_whatever_is_in_it(tmp_path: Path) -> None:
    """All plots with all their marks, every criterion with a thousand findings of many kinds and long hostile texts."""
    judgement = judged(busy_day(), tmp_path / "run")
    hostile = (HOSTILE + "\u202e<&\"'") * 40
    criteria = [
        replace(
            from_faults(
                name,
                name,
                "things",
                9000,
                Faults.of(
                    Finding(
                        f"{chr(97 + number % 26) * (1 + number // 60)} {hostile}",
                        *(str(uuid.UUID(int=number)), number, *[str(uuid.UUID(int=number))] * 4, number),
                    )
                    for number in range(MAX_EXAMPLES)
                ),
            ),
            reason=hostile,
        )
        for name in ORDER
    ]
    judgement.run.notes = [hostile] * 1000
    judgement.run.versions = {f"{number} {hostile}": hostile for number in range(20)}
    verdict = assemble(judgement.run, judgement.verdict["counts"], criteria)
    server = replace(judgement.server, left_out={f"{number} {hostile}": hostile for number in range(1000)})
    html = page.render(replace(judgement, verdict=verdict, server=server))
    assert html.count("<figure>") == 5 + len(meaning.PANELS)
    assert len(html.encode()) < 5_000_000
