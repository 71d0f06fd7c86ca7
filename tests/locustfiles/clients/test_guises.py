"""Promise: every kind of attempt is made in every guise that makes sense, and each guise is what it says."""

import time
from collections import Counter

import jwt
import pytest

from analysis.record.codes import AttemptKind, Guise, Way
from analysis.settings import Settings
from locustfiles.clients.guises import altered, attempts, disguised
from locustfiles.clients.session import Session, app_headers, supabase_headers

SECRET = "of the server, which nobody else has: 32 bytes"
ME, VICTIM = "me", "victim"
TOKEN = jwt.encode({"sub": ME, "role": "authenticated", "exp": 1}, SECRET, algorithm="HS256")
ANON = "the anon key"

SETTINGS = Settings(
    next_public_supabase_url="http://127.0.0.1",
    next_public_supabase_anon_key=ANON,
    supabase_service_role_key="service",
    database_url="postgresql://127.0.0.1/x",
    _env_file=None,
)


def mine(guise: Guise) -> Session:
    """My session in this guise."""
    answer = {"access_token": TOKEN, "refresh_token": "refresh", "user": {"id": ME}}
    session = Session(ME, TOKEN, "refresh", time.monotonic() + 60, answer)
    return disguised(session, guise, VICTIM, ANON)


def test_every_kind_is_tried_in_every_guise_that_makes_sense() -> None:
    found = attempts()
    assert len(found) == len(set(found)) == 50
    assert {(one.kind, one.way) for one in found} == {
        (AttemptKind.READ, Way.APP),
        (AttemptKind.READ, Way.REST),
        (AttemptKind.LATEST, Way.REST),
        (AttemptKind.SEND, Way.APP),
        (AttemptKind.SEND, Way.REST),
        (AttemptKind.SUBSCRIBE, Way.REALTIME),
        (AttemptKind.MARK_DELIVERED, Way.REST),
        (AttemptKind.MARK_READ, Way.REST),
        (AttemptKind.UNREAD, Way.REST),
    }
    assert Counter(one.guise for one in found) == {
        Guise.OUTSIDER: 9,
        Guise.EXPIRED_TOKEN: 9,
        Guise.ALTERED_TOKEN: 9,
        Guise.NO_TOKEN: 8,
        Guise.ANON_KEY: 9,
        Guise.ANOTHER_PERSON: 6,
    }


def test_a_forged_sender_is_tried_through_the_app_in_one_s_own_chat_and_in_another_s() -> None:
    forged = [one for one in attempts() if one[:2] == (AttemptKind.SEND, Guise.ANOTHER_PERSON)]
    assert {(one.way, one.elsewhere) for one in forged} == {
        (Way.APP, False),
        (Way.APP, True),
        (Way.REST, False),
    }
    assert all(one.elsewhere is (one.guise is Guise.OUTSIDER) for one in attempts() if one not in forged)


@pytest.mark.parametrize("guise", [Guise.OUTSIDER, Guise.EXPIRED_TOKEN])
def test_some_go_as_themselves(guise: Guise) -> None:
    assert (mine(guise).user_id, mine(guise).access_token) == (ME, TOKEN)


def test_an_altered_token_names_the_victim_and_has_no_right_signature() -> None:
    session = mine(Guise.ALTERED_TOKEN)
    assert session.user_id == VICTIM
    assert jwt.decode(session.access_token, options={"verify_signature": False})["sub"] == VICTIM
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(session.access_token, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert session.answer["access_token"] == session.access_token
    assert altered(TOKEN, ME).split(".")[::2] == TOKEN.split(".")[::2]


def test_without_a_token_no_header_names_one() -> None:
    session = mine(Guise.NO_TOKEN)
    assert app_headers(SETTINGS, session) == ""
    assert supabase_headers(SETTINGS, session) == f"apikey: {ANON}\r\n"


def test_the_anon_key_stands_in_for_a_token() -> None:
    assert app_headers(SETTINGS, mine(Guise.ANON_KEY)) == f"Authorization: Bearer {ANON}\r\n"


@pytest.mark.parametrize("guise", [Guise.EXPIRED_TOKEN, Guise.ALTERED_TOKEN, Guise.ANON_KEY])
def test_a_session_cookie_gives_nobody_a_new_session(guise: Guise) -> None:
    """An app with session cookies renews one whose access token has expired, if the refresh token is good."""
    session = mine(guise)
    assert (session.refresh_token, session.answer["refresh_token"]) == ("", "")
    assert mine(Guise.OUTSIDER).answer["refresh_token"]


def test_in_another_s_name_the_token_is_one_s_own() -> None:
    session = mine(Guise.ANOTHER_PERSON)
    assert (session.user_id, session.access_token) == (VICTIM, TOKEN)
