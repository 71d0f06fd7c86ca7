"""The page: self-contained, safe, complete, and small."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from analysis.criteria import Finding, from_findings
from analysis.record.codes import PollKind
from analysis.record.tables import DATABASE_TABLES
from analysis.report import meaning, page
from analysis.report.page import ROWS_MOST
from analysis.verdict import ORDER, assemble
from tests.analysis.histories import ns, us
from tests.analysis.report.judgements import Told, clean, empty, faulty, judged

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
    found = from_findings(
        "realtime.missed",
        "Missed deliveries",
        "deliveries",
        9000,
        [Finding(f"delivery number {number} is missing", seq=number) for number in range(5000)],
    )
    verdict = assemble(judgement.run, judgement.verdict["counts"], [found])
    html = page.render(replace(judgement, verdict=verdict))
    text = Seen(html).text
    assert "5,000 deliveries" in text
    assert "verdict.json names 1,000" in text
    assert "1,000 × delivery number … is missing" in text
    assert f"delivery number {ROWS_MOST - 1} is missing" in text
    assert f"delivery number {ROWS_MOST} is missing" not in text
    assert len(html) < 1_000_000


def test_plots_follow_the_colours_of_the_page_and_say_what_they_show(tmp_path: Path) -> None:
    html = page.render(judged(clean(), tmp_path / "run"))
    drawn = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(drawn) == 12  # six plots, each in two sizes
    style = html[html.index("<style>") : html.index("</style>")]
    for svg in drawn:
        assert not re.search(r"(fill|stroke): #(?!none)", svg)
        for role in re.findall(r"var\((--plot-\w+)\)", svg):
            assert f"{role}:" in style
    images = [attributes for _, attributes in Seen(html).tags if attributes.get("role") == "img"]
    assert len(images) == 6
    assert all(attributes["aria-label"] for attributes in images)


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
    assert Seen(html).text.count(said) == 3
    assert (
        html.count("PostgreSQL restarted") - 3 == 2 * 3
    )  # once in each plot that has room for words, in two sizes


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
