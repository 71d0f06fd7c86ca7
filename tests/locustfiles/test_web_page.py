"""A run started by hand on Locust's own web page, in a real browser, writes a record and a report; so does the next."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Literal, TypeVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from analysis.record import read_table
from analysis.record.tables import LOAD_TABLES
from tests.browsers import CHROMIUM, FLAGS, serious_faults

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)"),
]


T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T | None], page: Page | None = None) -> T:
    """What `look` finds, once it finds something. The page goes on living meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        if page is None:
            time.sleep(0.1)
        else:
            page.wait_for_timeout(100)
    raise AssertionError(f"{what}: not within {PATIENCE_S:.0f} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def web_page(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Locust with its web page and the embedded staging environment, reports in `tmp_path`.

    Args:
        request: its parameter: further options.
    """
    url = f"http://127.0.0.1:{free_port()}"
    log = tmp_path / "locust.log"
    with log.open("wb") as output:
        locust = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "locust",
                "-f",
                "locustfiles/chat.py",
                "--web-host",
                "127.0.0.1",
                "--web-port",
                url.rpartition(":")[2],
                *getattr(request, "param", ()),
            ],
            cwd=ROOT,
            env={**os.environ, "CHATSOAK_REPORTS_DIR": str(tmp_path / "reports")},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for("Locust's page", lambda: answers(url))
            yield url
            os.killpg(locust.pid, signal.SIGINT)
            assert locust.wait(PATIENCE_S) in {0, 1}, log.read_text()  # that of the newest verdict
        finally:
            if locust.poll() is None:
                os.killpg(locust.pid, signal.SIGKILL)
                locust.wait()


def answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(url, timeout=1).is_success
    return False


def finished_runs(reports: Path) -> list[Path]:
    return sorted(path.parent for path in reports.glob("2*/report.html"))


def start(page: Page, users: int) -> None:
    page.locator("input[name=userCount]").fill(str(users))
    page.locator("input[name=spawnRate]").fill(str(users))
    page.get_by_role("button", name=re.compile("^start", re.IGNORECASE)).click()


def sent(reports: Path) -> list[int]:
    """The sends that the newest run has recorded so far: of each whether it is the first of its message (0) or which
    repeat (1, 2, …)."""
    newest = max(reports.glob("2*"))
    return [
        attempt
        for folder in newest.glob("record/*")
        for attempt in read_table(folder, "sends", LOAD_TABLES["sends"], ["attempt"])
        .table["attempt"]
        .to_pylist()
    ]


def enough(attempts: list[int]) -> bool:
    """Is there something for each criterion to check? One in twenty sends is repeated, and fifty may well have none."""
    return len(attempts) > 50 and any(attempts)


def shown(page: Page) -> int:
    """How many sends the page's table of statistics shows."""
    row = page.locator("tr", has_text="/api/messages").filter(has_text="POST")
    if row.count() == 0:
        return 0
    return int(row.first.locator("td").nth(2).inner_text().replace(",", ""))


def run_once(page: Page, reports: Path) -> None:
    """Start, wait until enough was sent, stop, and wait for the report."""
    started, finished = len(list(reports.glob("2*"))), len(finished_runs(reports))
    start(page, users=6)
    wait_for("a record of its own", lambda: len(list(reports.glob("2*"))) > started, page)
    # Beyond the warm-up of 5 s, so that there is a latency to judge.
    wait_for("sends in the record", lambda: enough(sent(reports)), page)
    wait_for("sends on the page", lambda: shown(page) > 0, page)
    page.get_by_role("button", name=re.compile("^stop", re.IGNORECASE)).click()
    wait_for("the report", lambda: len(finished_runs(reports)) > finished, page)


def test_each_run_from_the_page_writes_its_own_record_and_report(web_page: str, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(web_page)
        run_once(page, reports)
        page.get_by_role("button", name=re.compile("^new", re.IGNORECASE)).click()
        run_once(page, reports)
        browser.close()
    verdicts = [json.loads((run / "verdict.json").read_text()) for run in finished_runs(reports)]
    assert [verdict["outcome"] for verdict in verdicts] == ["pass", "pass"]
    assert all(verdict["counts"]["deliveries"] > 0 for verdict in verdicts)


def cells(page: Page, what: str) -> list[str]:
    """The row of chatsoak's tab that is about `what`."""
    row = page.locator("tr", has=page.locator("td", has_text=re.compile(f"^{re.escape(what)}$")))
    return row.first.locator("td").all_inner_texts() if row.count() else []


def look_at_the_tab(browser: Browser, web_page: str, width: int, scheme: Literal["light", "dark"]) -> None:
    """The tab is readable by everybody, and fits the screen; what is around its table is Locust's own."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page.goto(f"{web_page}/?tab=chatsoak")
    wait_for("the tab's rows", lambda: cells(page, "seq.missing"), page)
    assert serious_faults(page, "table", least=3) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


FAULTS = ("--stage-fault", "null_seq_rate=0.2", "--stage-fault", "realtime_duplicate_rate=0.1")


@pytest.mark.parametrize("web_page", [FAULTS], indirect=True)
def test_findings_stand_in_a_tab_of_their_own_while_the_run_goes_on(web_page: str, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(web_page)
        start(page, users=6)
        page.get_by_role("tab", name="chatsoak").click()
        wait_for("a finding", lambda: cells(page, "seq.missing")[1:2] not in ([], ["0"]), page)
        assert "it has no seq" in cells(page, "seq.missing")[2]
        wait_for("another", lambda: cells(page, "realtime.duplicated")[1:2] not in ([], ["0"]), page)
        assert "again on the same subscription" in cells(page, "realtime.duplicated")[2]
        wait_for("it among the newest", lambda: cells(page, "finding of realtime.duplicated"), page)
        assert cells(page, "status.invalid")[1:] == ["0", "nothing so far"]
        assert int(cells(page, "sends")[1].replace(",", "")) > 0
        assert finished_runs(reports) == [], "the run still goes on"
        page.screenshot(path=tmp_path / "tab.png")
        for width, scheme in product((390, 1280), SCHEMES):
            look_at_the_tab(browser, web_page, width, scheme)
        page.get_by_role("button", name=re.compile("^stop", re.IGNORECASE)).click()
        wait_for("the report", lambda: finished_runs(reports), page)
        browser.close()
    (run,) = finished_runs(reports)
    verdict = json.loads((run / "verdict.json").read_text())
    failed = {one["id"] for one in verdict["criteria"] if one["outcome"] == "fail"}
    assert failed == {"seq.missing", "realtime.duplicated"}
