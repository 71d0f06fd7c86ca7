"""Promise: what a subscription that was made anew left out, and history refuses, is told, and blamed on nobody."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.adversary.proxy import Forward, Proxy, Request, Response, answer, subject_of
from tests.adversary.truth import TOPIC, chat_of, is_change, is_confirmation, is_page, is_send
from tests.adversary.whole_runs import settings_for
from tests.adversary.world import holds
from tests.locustfiles.soaks import Soak
from tests.staging.stages import running_stage

pytestmark = pytest.mark.long

CATCH_UP_PAGE = "100"  # messages that a page is asked for by whoever catches up, and by nobody else
LOAD = ("--users", "12", "--spawn-rate", "12", "--run-time", "60s")  # it ends as soon as all has happened
INCONCLUSIVE = 3  # exit code
WAIT_S = 30.0
REST_MESSAGES = "/rest/v1/chat_messages"  # here only outsiders ask for that
SINCE_S = 1.0  # what comes that long after a confirmation was sent after it, and is owed


class UnreadGap:
    """In place of one INSERT event its listener gets another confirmation, and 503 for all that they ask to catch up."""

    def __init__(self) -> None:
        self.acts = False
        self.whom: tuple[str, str] | None = None  # person and chat
        self.refused = 0
        self.went_on = (
            False  # a later message came to them, so that by the newest seq alone nothing is lacking
        )
        self.lacks = {
            "a page",
            "a repeat",
            "an attempt",
        }  # each has a criterion with nothing to check but for it
        self._keys: set[str] = set()
        self._people: dict[int, str] = {}
        self._confirmed: dict[tuple[int, str], tuple[float, bytes]] = {}  # when, and how

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        catching_up = is_page(request) and request.query.get("limit") == CATCH_UP_PAGE
        if catching_up and (request.caller, chat_of(request)) == self.whom:
            self.refused += 1
            return answer(503, {"error": "Come back later"})
        response = await forward(request)
        if response is not None and response.ok:
            self._note(request, response)
        return response

    def _note(self, request: Request, response: Response) -> None:
        if is_page(request) and response.json:
            self.lacks.discard("a page")
        elif request.path == REST_MESSAGES:
            self.lacks.discard("an attempt")
        elif is_send(request):
            key = request.json["clientGeneratedId"]
            if key in self._keys:
                self.lacks.discard("a repeat")
            self._keys.add(key)

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        topic = str(frame[2])
        if is_confirmation(frame):
            self._confirmed[listener, topic] = time.monotonic(), raw
        since, confirmation = self._confirmed.get((listener, topic), (time.monotonic(), b""))
        settled = time.monotonic() - since > SINCE_S
        if not is_change(frame, "INSERT"):
            return [raw]
        self.went_on |= (self._people.get(listener), topic.removeprefix(TOPIC)) == self.whom
        if not self.acts or self.whom or not settled:
            return [raw]
        if frame[4]["data"]["record"]["client_generated_id"] is None:  # it may be nobody's of the run
            return [raw]
        self.whom = self._people[listener], topic.removeprefix(TOPIC)
        return [confirmation]

    def heard(self, listener: int, frame: list[Any]) -> None:
        if frame[3] == "phx_join" and (person := subject_of(frame[4].get("access_token", ""))):
            self._people[listener] = person


def test_who_could_not_read_what_they_missed_leaves_it_open(tmp_path: Path) -> None:
    tamper = UnreadGap()
    with running_stage() as stage, Proxy(stage.app_url, tamper) as proxy:
        settings = settings_for(
            stage, CHATSOAK_RECONNECT_SHARE="0", CHATSOAK_OUTSIDER_SHARE="0.2", CHATSOAK_DRAIN_S="5"
        )
        settings["NEXT_PUBLIC_SUPABASE_URL"] = proxy.url
        with Soak(tmp_path, "--host", proxy.url, *LOAD, environment=settings) as soak:
            soak.wait_for_load()
            tamper.acts = True
            deadline = time.monotonic() + WAIT_S
            while (tamper.lacks or tamper.refused < 2 or not tamper.went_on) and time.monotonic() < deadline:
                time.sleep(0.1)
            soak.interrupt()
            ended = soak.end()
    assert proxy.errors == []
    assert tamper.refused >= 2, "it is asked for again"
    assert tamper.went_on
    assert tamper.lacks == set()
    holds(ended.verdict, "HistoryRefusedAfterGap")
    (missed,) = [one for one in ended.verdict["criteria"] if one["id"] == "realtime.missed"]
    assert missed["facts"]["unread"] == 1
    assert ended.code == INCONCLUSIVE
    assert "could not read in history what they had missed" in ended.output
