"""Supabase Auth: sessions for passwords and refresh tokens, the admin's calls, and refusals in Auth's own words."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest

from tests.staging.calls import Calls, Office, new_key
from tests.staging.stages import PASSWORD, Person


@pytest.fixture(scope="module")
def anna(office: Office) -> Person:
    return office.stage.person()


def sign_in(caller: Calls, email: object, password: object) -> httpx.Response:
    return caller.auth("POST", "token?grant_type=password", {"email": email, "password": password})


def refresh(caller: Calls, token: object) -> httpx.Response:
    return caller.auth("POST", "token?grant_type=refresh_token", {"refresh_token": token})


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    """An error of Auth: its status, code and words; the code stands in a header, too."""
    body = answer.json()
    assert set(body) == {"code", "error_code", "msg"}
    assert body["code"] == answer.status_code
    assert answer.headers.get("x-sb-error-code", body["error_code"]) == body["error_code"]
    return answer.status_code, body["error_code"], body["msg"]


def test_a_password_makes_a_session_with_supabases_claims(office: Office, anna: Person) -> None:
    answer = sign_in(office.nobody, anna.email.upper(), PASSWORD)
    assert answer.status_code == 200
    session = answer.json()
    assert (session["token_type"], session["expires_in"]) == ("bearer", 3600)
    assert abs(session["expires_at"] - time.time() - 3600) < 10
    assert (session["user"]["id"], session["user"]["email"]) == (anna.id, anna.email)
    assert "encrypted_password" not in session["user"]

    assert jwt.get_unverified_header(session["access_token"])["alg"] == "HS256"
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    assert claims == {
        "iss": f"{office.stage.supabase_url}/auth/v1",
        "sub": anna.id,
        "aud": "authenticated",
        "role": "authenticated",
        "email": anna.email,
        "phone": "",
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": claims["iat"]}],
        "session_id": claims["session_id"],
        "is_anonymous": False,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {},
        "iat": claims["iat"],
        "exp": claims["iat"] + 3600,
    }
    assert office.with_token(session["access_token"]).auth("GET", "user").json()["id"] == anna.id


@pytest.mark.parametrize("password", ["wrong horse", "", PASSWORD.upper(), PASSWORD + " "])
def test_a_wrong_password_is_refused_like_an_unknown_address(
    office: Office, anna: Person, password: str
) -> None:
    wrong = (400, "invalid_credentials", "Invalid login credentials")
    assert refused(sign_in(office.nobody, anna.email, password)) == wrong
    assert refused(sign_in(office.nobody, f"{new_key()}@example.com", PASSWORD)) == wrong


def test_a_refresh_token_is_good_for_one_new_session(office: Office, anna: Person) -> None:
    before = sign_in(office.nobody, anna.email, PASSWORD).json()
    after = refresh(office.nobody, before["refresh_token"]).json()
    assert after["refresh_token"] != before["refresh_token"]
    old, new = (
        jwt.decode(session["access_token"], options={"verify_signature": False})
        for session in (before, after)
    )
    assert (new["sub"], new["session_id"]) == (old["sub"], old["session_id"])

    gone = (400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
    assert refused(refresh(office.nobody, before["refresh_token"])) == gone
    assert refresh(office.nobody, after["refresh_token"]).status_code == 200


def test_of_two_refreshes_at_once_one_wins(office: Office, anna: Person) -> None:
    token = sign_in(office.nobody, anna.email, PASSWORD).json()["refresh_token"]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: refresh(office.nobody, token).status_code, range(4)))
    assert sorted(answers) == [200, 400, 400, 400]


def test_signing_out_ends_the_sessions_refresh_tokens(office: Office, anna: Person) -> None:
    session = sign_in(office.nobody, anna.email, PASSWORD).json()
    assert office.with_token(session["access_token"]).auth("POST", "logout").status_code == 204
    assert refused(refresh(office.nobody, session["refresh_token"]))[1] == "refresh_token_not_found"


def test_only_the_service_role_key_makes_people(office: Office, anna: Person) -> None:
    account = {"email": f"{new_key()}@example.com", "password": PASSWORD, "email_confirm": True}
    for caller in (office.nobody, office.of(anna)):
        for method, path in (
            ("POST", "admin/users"),
            ("GET", "admin/users"),
            ("DELETE", f"admin/users/{anna.id}"),
        ):
            assert refused(caller.auth(method, path, account)) == (403, "not_admin", "User not allowed")
    assert refused(sign_in(office.nobody, account["email"], PASSWORD))[1] == "invalid_credentials"

    made = office.service.auth("POST", "admin/users", account)
    assert (made.status_code, made.json()["email"]) == (200, account["email"])
    assert sign_in(office.nobody, account["email"], PASSWORD).status_code == 200
    assert refused(office.service.auth("POST", "admin/users", account)) == (
        422,
        "email_exists",
        "A user with this email address has already been registered",
    )


def test_an_account_can_be_changed_and_deleted(office: Office) -> None:
    person = office.stage.person()
    path = f"admin/users/{person.id}"
    assert office.service.auth("PUT", path, {"password": "another secret"}).status_code == 200
    assert refused(sign_in(office.nobody, person.email, PASSWORD))[1] == "invalid_credentials"
    assert sign_in(office.nobody, person.email, "another secret").status_code == 200
    assert office.service.auth("DELETE", path).status_code == 200
    assert refused(office.service.auth("GET", path)) == (404, "user_not_found", "User not found")
    assert refused(office.of(person).auth("GET", "user"))[1] == "user_not_found"


def test_an_address_that_nobody_confirmed_cannot_sign_in(office: Office) -> None:
    email = f"{new_key()}@example.com"
    office.service.auth("POST", "admin/users", {"email": email, "password": PASSWORD}).raise_for_status()
    assert refused(sign_in(office.nobody, email, PASSWORD)) == (
        400,
        "email_not_confirmed",
        "Email not confirmed",
    )


@pytest.mark.parametrize(
    ("account", "status", "code"),
    [
        ({"email": "nobody", "password": PASSWORD}, 400, "validation_failed"),
        ({"password": PASSWORD}, 400, "validation_failed"),
        ({"email": "a\0b@example.com", "password": PASSWORD}, 400, "validation_failed"),
        ({"email": "short@example.com", "password": "12345"}, 422, "weak_password"),
        ({"email": "none@example.com", "password": 7}, 422, "weak_password"),
        ([], 400, "bad_json"),
    ],
)
def test_a_wrong_account_is_refused(office: Office, account: object, status: int, code: str) -> None:
    assert refused(office.service.auth("POST", "admin/users", account))[:2] == (status, code)


def test_a_wrong_request_is_refused(office: Office) -> None:
    nobody = office.nobody
    assert refused(sign_in(nobody, None, PASSWORD))[:2] == (400, "validation_failed")
    assert refused(sign_in(nobody, "a\0b@example.com", PASSWORD))[:2] == (400, "validation_failed")
    assert refused(refresh(nobody, "no such token"))[:2] == (400, "refresh_token_not_found")
    assert refused(refresh(nobody, "a\0b"))[:2] == (400, "validation_failed")
    assert refused(nobody.auth("POST", "token?grant_type=magic", {}))[:2] == (400, "validation_failed")
    assert refused(nobody.auth("POST", "token?grant_type=password"))[:2] == (400, "bad_json")
    assert refused(office.with_token("nonsense").auth("GET", "user"))[:2] == (403, "bad_jwt")
    assert refused(nobody.auth("GET", "user"))[:2] == (403, "bad_jwt")


@pytest.mark.parametrize(
    ("headers", "message"),
    [({}, "No API key found in request"), ({"apikey": "guessed"}, "Invalid API key")],
)
@pytest.mark.parametrize("path", ["auth/v1/user", "rest/v1/chats"])
def test_nothing_answers_without_the_projects_key(
    office: Office, anna: Person, path: str, headers: dict[str, str], message: str
) -> None:
    headers = {"Authorization": f"Bearer {anna.token}", **headers}
    answer = office.http.get(f"{office.stage.supabase_url}/{path}", headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (401, message)
