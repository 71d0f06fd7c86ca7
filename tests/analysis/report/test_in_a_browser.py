"""The report in a real browser: readable by everybody, on a phone, in the dark, on paper; nothing in it runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from analysis.criteria import Verdict
from analysis.history.comparison import Bounds
from analysis.history.runs import point
from analysis.history.sides import compare_runs
from analysis.report import compare, index, page
from tests.analysis.history.made import night_id, nights, recorded, write_run
from tests.analysis.report.judgements import HOSTILE, clean, empty, faulty, judged
from tests.browsers import CHROMIUM, FLAGS, serious_faults

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield one
        one.close()


@pytest.fixture(scope="module", params=[clean, faulty, empty], ids=["clean", "faulty", "empty"])
def report(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    file = folder / "report.html"
    file.write_text(page.render(judged(request.param(), folder / "run")), encoding="utf-8")
    return file


def nightly(folder: Path) -> Path:
    """The list of runs over a history with a step, a baseline, nights not to be believed, and hostile names in it."""
    for number, night in enumerate(nights(1, 20, slower_from=10, spread=0.02)):
        write_run(folder, night_id(number), **night, healthy=number not in (3, 15))
    point(folder, "baseline", night_id(1))
    write_run(folder, "a", lost=1, host=f"http://{HOSTILE}".replace("\x07", ""), embedded=False)
    (folder / "2").mkdir()
    (folder / "2" / "run.json").write_text("{", encoding="utf-8")
    return index.write_index(folder)


def two_runs(folder: Path) -> Path:
    """The page of a comparison with regressions and both distributions."""
    first, second = recorded(folder, "a", 0.1), recorded(folder, "bb", 0.15)
    page_of_it = folder / "compare.html"
    page_of_it.write_text(
        compare.render(compare_runs(first, second, folder, Bounds(), anyway=True)), encoding="utf-8"
    )
    return page_of_it


def two_verdicts(folder: Path) -> Path:
    """The page of a comparison with a new fault, something that was mended, and much that nobody can say."""
    first = write_run(folder, "a", around=0, outcomes={"plan.history": Verdict.FAIL})
    second = write_run(folder, "b", lost=2, around=0, outcomes={"latency.delivery.p95": Verdict.INCONCLUSIVE})
    page_of_it = folder / "compare.html"
    found = compare_runs(first, second, folder, Bounds(), anyway=False)
    page_of_it.write_text(compare.render(found), encoding="utf-8")
    return page_of_it


@pytest.fixture(scope="module", params=[nightly, two_runs, two_verdicts])
def other(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages beside the report."""
    made: Path = request.param(tmp_path_factory.mktemp("pages"))
    return made


def opened(browser: Browser, report: Path, **options: Any) -> Page:
    shown = browser.new_page(**options)
    shown.goto(report.as_uri())
    return shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_serious_fault(browser: Browser, report: Path, width: int, scheme: Any) -> None:
    look_with_axe(browser, report, width, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_none_in_the_other_pages(browser: Browser, other: Path, width: int, scheme: Any) -> None:
    look_with_axe(browser, other, width, scheme)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_other_pages_fit_the_screen_too(browser: Browser, other: Path, width: int) -> None:
    shown = opened(browser, other, viewport={"width": width, "height": 800})
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    shown.close()


def look_with_axe(browser: Browser, report: Path, width: int, scheme: Any) -> None:
    # The page's own policy forbids every script, so the browser is told to let this one in.
    shown = opened(
        browser, report, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    shown.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert serious_faults(shown, least=11) == []
    shown.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, report: Path, width: int) -> None:
    shown = opened(browser, report, viewport={"width": width, "height": 800})
    shown.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    shown.close()


def test_no_script_runs_and_nothing_is_asked_for(browser: Browser, report: Path) -> None:
    shown = browser.new_page()
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    shown.goto(report.as_uri())
    assert asked == [report.as_uri()]
    shown.close()


def test_every_link_leads_somewhere_in_the_page(browser: Browser, report: Path) -> None:
    shown = opened(browser, report)
    lost = shown.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert lost == []
    shown.close()


def test_the_answer_is_on_the_first_screen_of_a_phone(browser: Browser, report: Path) -> None:
    shown = opened(browser, report, viewport={"width": 390, "height": 844})
    for part in ("h1", ".release"):
        box = shown.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 844
    shown.close()


def test_on_paper_every_plot_is_whole(browser: Browser, report: Path, tmp_path: Path) -> None:
    shown = opened(browser, report)
    printed = tmp_path / "report.pdf"
    shown.pdf(path=printed, format="A4")
    assert printed.read_bytes().startswith(b"%PDF")
    shown.emulate_media(media="print")
    hidden = shown.evaluate(
        "[...document.querySelectorAll('figure')].filter(f => f.getBoundingClientRect().height < 100).length"
    )
    assert hidden == 0
    shown.close()


def test_on_paper_nothing_is_folded_away_and_nothing_is_dark(browser: Browser, report: Path) -> None:
    shown = opened(browser, report, color_scheme="dark")
    unseen = "[...document.querySelectorAll('details td, details dd')].filter(e => !e.checkVisibility({contentVisibilityAuto: true})).length"
    background = "getComputedStyle(document.body).backgroundColor"
    assert shown.evaluate(unseen) > 0
    assert shown.evaluate(background) == "rgb(20, 23, 26)"
    shown.emulate_media(media="print", color_scheme="dark")
    shown.wait_for_function(f"{unseen} === 0")
    assert shown.evaluate(background) == "rgb(255, 255, 255)"
    assert shown.evaluate(
        "[...document.querySelectorAll('details td')].every(e => e.getBoundingClientRect().height > 0)"
    )
    shown.close()
