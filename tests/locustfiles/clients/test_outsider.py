"""Promise: against an environment in good order nothing is let through, and what is let through is seen."""

import time
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import gevent
import httpx
import jwt
import pytest

from analysis.record.codes import AttemptKind, Guise, Outcome, Way
from analysis.settings import Settings, load
from locustfiles.clients import outsider
from locustfiles.clients.guises import Attempt, attempts
from locustfiles.clients.http import HttpClient
from locustfiles.clients.outsider import OutsiderClient
from locustfiles.clients.session import Session
from tests.locustfiles.clients.recorded import Recorded, wait_until
from tests.staging.stages import Person, RunningStage, running_stage

LISTEN_S = 0.8


@pytest.fixture(autouse=True)
def short_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outsider, "LISTEN_S", LISTEN_S)


@pytest.fixture(scope="module")
def open_stage(stage: RunningStage) -> Iterator[RunningStage]:
    """Nearly everybody may do nearly everything there: see `LET_THROUGH`."""
    kinds = ("access", "realtime")
    checks = ("sender_unchecked", "signature_unchecked", "user_id_unchecked", "anonymous_accepted")
    faults = (*(f"{kind}_open=1" for kind in kinds), *(f"{check}=1" for check in checks))
    with running_stage(*faults, database_url=stage.database_url) as running:
        yield running


def settings_of(stage: RunningStage) -> Settings:
    return load(
        Path("no such file"),
        {
            "next_public_supabase_url": stage.supabase_url,
            "next_public_supabase_anon_key": stage.anon_key,
            "supabase_service_role_key": stage.service_role_key,
            "database_url": stage.database_url,
        },
    )


def session_of(person: Person) -> Session:
    return Session(person.id, person.token, person.refresh_token, time.monotonic() + 60, {})


def write(stage: RunningStage, sender: Person, chat_id: str, text: str = "hello") -> None:
    httpx.post(
        f"{stage.app_url}/api/messages",
        headers={"Authorization": f"Bearer {sender.token}"},
        json={"chatId": chat_id, "text": text},
    ).raise_for_status()


@cache
def people_of(stage: RunningStage) -> tuple[Person, Person, Person]:
    """The same three for all tests on a stage: to sign in takes longer than to try something."""
    return stage.person(), stage.person(), stage.person()


class Intrusion:
    """Somebody who is in one chat with a victim, and not in another; in both everybody has said something."""

    def __init__(self, stage: RunningStage, recorded: Recorded) -> None:
        self.stage, self.recorded = stage, recorded
        self.me, self.victim, third = people_of(stage)
        self.own, self.foreign = stage.chat(self.me, self.victim), stage.chat(self.victim, third)
        for chat, other in ((self.own, self.me), (self.foreign, third)):
            write(stage, self.victim, chat)
            write(stage, other, chat)
        settings = settings_of(stage)
        self._supabase = HttpClient(stage.supabase_url, settings.chatsoak_request_timeout_s)
        self.client = OutsiderClient(settings, stage.app_url, recorded.ledger, self._supabase, self.me.id)

    def __enter__(self) -> "Intrusion":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._supabase.close()

    def attempt(self, tried: Attempt) -> dict[str, object]:
        """Make the attempt while somebody writes; the row that it left in the record."""
        chat = self.foreign if tried.elsewhere else self.own
        writing = gevent.spawn(self._write_meanwhile, chat) if tried.kind is AttemptKind.SUBSCRIBE else None
        self.client.attempt(tried, session_of(self.me), chat, self.victim.id, 1)
        if writing is not None:
            writing.join()
        return self.recorded.rows("attempts")[-1]

    def _write_meanwhile(self, chat: str) -> None:
        gevent.sleep(LISTEN_S / 2)
        write(self.stage, self.victim, chat)

    def stored(self) -> set[tuple[str, str]]:
        """What outsiders have written into both chats: the text's beginning, and under whose name."""
        found = httpx.get(
            f"{self.stage.supabase_url}/rest/v1/chat_messages",
            params={"select": "message_text,sender_id", "chat_id": f"in.({self.own},{self.foreign})"},
            headers={
                "apikey": self.stage.service_role_key,
                "Authorization": f"Bearer {self.stage.service_role_key}",
            },
        )
        found.raise_for_status()
        return {
            (row["message_text"].partition(" (")[0], row["sender_id"])
            for row in found.json()
            if row["message_text"] != "hello"
        }


def named(tried: Attempt) -> str:
    """For pytest."""
    where = "-elsewhere" * tried.elsewhere
    return f"{tried.guise.name}-{tried.kind.name}-{tried.way.name}{where}"


@pytest.mark.parametrize(
    "tried", [one for one in attempts() if one.guise is not Guise.EXPIRED_TOKEN],
    ids=named,
)  # fmt: skip
def test_nothing_is_let_through(stage: RunningStage, recorded: Recorded, tried: Attempt) -> None:
    with Intrusion(stage, recorded) as intrusion:
        row = intrusion.attempt(tried)
    assert (row["kind"], row["guise"], row["way"]) == tried[:3]
    assert not row["got"]
    assert Outcome(row["outcome"]) is not Outcome.INFO, row["error"]
    # Into their own chat the app lets them write: under their own name.
    own = tried == Attempt(AttemptKind.SEND, Guise.ANOTHER_PERSON, Way.APP, elsewhere=False)
    assert intrusion.stored() == ({("Nobody should read this", intrusion.me.id)} if own else set())
    assert (row["message_id"] is not None) is own
    assert {error for *_, error in recorded.requests} == {None}
    assert recorded.ledger.watch.notices.take(0.0) == []


def test_with_an_expired_token_nothing_is_let_through(stage: RunningStage, recorded: Recorded) -> None:
    with (
        running_stage("token_lifetime_s=8", database_url=stage.database_url) as short,
        Intrusion(short, recorded) as intrusion,
    ):
        ends_s = jwt.decode(intrusion.me.token, options={"verify_signature": False})["exp"]
        wait_until(lambda: time.time() > ends_s + 1)
        for tried in attempts():
            if tried.guise is Guise.EXPIRED_TOKEN:
                row = (
                    intrusion.attempt(tried)
                    if tried.kind is not AttemptKind.SUBSCRIBE
                    else silent(intrusion, tried)
                )
                assert (row["outcome"], row["got"] or 0) == (Outcome.FAIL, 0), tried


def silent(intrusion: Intrusion, tried: Attempt) -> dict[str, object]:
    """As `Intrusion.attempt` for a victim whose token has expired as well."""
    intrusion.client.attempt(tried, session_of(intrusion.me), intrusion.own, intrusion.victim.id, 1)
    return intrusion.recorded.rows("attempts")[-1]


def told(row: dict[str, object]) -> object:
    """What the client saw that it should not have."""
    return row["message_id"] if row["kind"] == AttemptKind.SEND else row["got"]


def is_let_through(tried: Attempt) -> bool:
    """Whether the open stage lets it through.

    Realtime goes on asking for a valid token; the functions for messages go on asking whether the one whom they act for is in
    the chat; and nobody sends through the app without a token, or forges a sender in a chat that they are not in.
    """
    kind, guise, way, elsewhere = tried
    nobody = guise in (Guise.NO_TOKEN, Guise.ANON_KEY)
    if kind is AttemptKind.SUBSCRIBE:
        return guise is Guise.OUTSIDER
    if (kind, way) == (AttemptKind.SEND, Way.APP):
        return not nobody and not (guise is Guise.ANOTHER_PERSON and elsewhere)
    acts_for_somebody = kind in (AttemptKind.MARK_DELIVERED, AttemptKind.MARK_READ, AttemptKind.UNREAD)
    return not (guise is Guise.OUTSIDER and acts_for_somebody)


LET_THROUGH = [one for one in attempts() if one.guise is not Guise.EXPIRED_TOKEN and is_let_through(one)]


def test_every_kind_of_attempt_is_let_through_in_one_guise_or_another() -> None:
    assert {(one.kind, one.way) for one in LET_THROUGH} == {(one.kind, one.way) for one in attempts()}
    assert {one.guise for one in LET_THROUGH} == set(Guise) - {Guise.EXPIRED_TOKEN}


@pytest.mark.parametrize("tried", LET_THROUGH, ids=named)
def test_what_is_let_through_is_seen(open_stage: RunningStage, recorded: Recorded, tried: Attempt) -> None:
    with Intrusion(open_stage, recorded) as intrusion:
        # An event may take longer than somebody listens; then they listen again.
        wait_until(lambda: told(intrusion.attempt(tried)))
    _, name, _, error = recorded.requests[-1][:4]
    assert name.endswith("(outsider)")
    noticed, *_ = recorded.ledger.watch.notices.take(0.0) or [None]
    if (tried.kind, tried.guise, tried.elsewhere) == (AttemptKind.SEND, Guise.ANOTHER_PERSON, False):
        # Under whose name it is stored, the verdict reads in the database. The app's answer may say it, REST's does not.
        assert noticed is None
        assert error == ("was not refused" if tried.way is Way.APP else None)
        return
    assert error == "was not refused"
    assert noticed is not None
    assert noticed["finding"]["criterion"] == "access.denied"
    assert noticed["finding"]["chat_id"] == (intrusion.foreign if tried.elsewhere else intrusion.own)
    assert "and was let" in noticed["finding"]["why"]


def test_a_server_that_is_down_leaves_it_open(stage: RunningStage, recorded: Recorded) -> None:
    nowhere = "http://127.0.0.1:1"
    settings = settings_of(stage).model_copy(update={"next_public_supabase_url": nowhere})
    me = stage.person()
    client = OutsiderClient(settings, nowhere, recorded.ledger, HttpClient(nowhere, 1.0), me.id)
    for kind, way in ((AttemptKind.READ, Way.APP), (AttemptKind.SUBSCRIBE, Way.REALTIME)):
        client.attempt(
            Attempt(kind, Guise.OUTSIDER, way, elsewhere=True), session_of(me), str(uuid.uuid4()), me.id, 1
        )
        row = recorded.rows("attempts")[-1]
        assert (row["status_code"], row["got"] or 0) == (0, 0)
        assert recorded.requests[-1][3] is not None
