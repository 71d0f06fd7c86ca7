"""Every declared fault really acts. Those of Realtime are tested in realtime/test_faults.py, all others here."""

import ast
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from staging.faults import DECLARED, Faults
from tests.staging.calls import Calls, Office, new_key
from tests.staging.stages import Person, RunningStage, running_stage

# These faults take indexes or constraints away, so they get a database of their own.
LASTING = {"repeat_seq_rate", "swap_seq_rate", "status_invalid_rate"}
WAIT_S = 15.0


@dataclass(frozen=True)
class Scene:
    """A stage with a fault: a chat of two, and somebody outside."""

    office: Office
    chat_id: str
    anna: Calls
    ben: Calls
    outsider: Calls
    anna_person: Person
    ben_person: Person

    def row(self, text: str) -> dict[str, str]:
        """A message of Anna's for an insert through REST."""
        return {"chat_id": self.chat_id, "sender_id": self.anna_person.id, "message_text": text}

    @property
    def stored(self) -> list[dict[str, Any]]:
        """The chat's messages, past row level security."""
        return self.office.service.stored(self.chat_id)

    @property
    def seqs(self) -> list[int | None]:
        """Their seq, in order."""
        return [row["seq"] for row in self.stored]

    def mark(self, function: str = "read") -> httpx.Response:
        """Ben's receipt."""
        who = "p_user_id" if function == "read" else "p_receiver_id"
        return self.ben.rpc(
            f"mark_messages_as_{function}", p_chat_id=self.chat_id, **{who: self.ben_person.id}
        )


@contextmanager
def scene(stage: RunningStage, http: httpx.Client, *settings: str) -> Iterator[Scene]:
    names = {setting.partition("=")[0] for setting in settings}
    with running_stage(*settings, database_url=None if names & LASTING else stage.database_url) as faulty:
        anna, ben, outsider = (faulty.person() for _ in range(3))
        office = Office(faulty, http)
        chat_id = faulty.chat(anna, ben)
        yield Scene(office, chat_id, office.of(anna), office.of(ben), office.of(outsider), anna, ben)


def lasts_s(call: Callable[[], httpx.Response]) -> float:
    """How long the call takes; it must succeed."""
    started = time.monotonic()
    call().raise_for_status()
    return time.monotonic() - started


# One function for each fault, named after it. The stage is started with the setting given here.
TESTS: dict[str, tuple[tuple[str, ...], Callable[[Scene], None]]] = {}


def with_fault(*settings: str) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    def keep(test: Callable[[Scene], None]) -> Callable[[Scene], None]:
        TESTS[test.__name__] = (settings, test)
        return test

    return keep


@with_fault("latency_ms=120")
def latency_ms(on: Scene) -> None:
    assert lasts_s(lambda: on.anna.send(on.chat_id, "slow")) >= 0.12
    assert lasts_s(lambda: on.ben.rest("GET", "chats")) >= 0.12


@with_fault("latency_jitter_ms=120")
def latency_jitter_ms(on: Scene) -> None:
    took = [lasts_s(lambda: on.anna.history(chatId=on.chat_id)) for _ in range(20)]
    assert max(took) >= 0.08
    assert min(took) < max(took) / 2


@with_fault("stall_every_s=1.2", "stall_ms=400")
def stall_every_s(on: Scene) -> None:
    """Two stalls are seen, at least as far apart as they should be, with quick answers in between."""
    stalls, quick = [], 0
    deadline = time.monotonic() + WAIT_S
    while len(stalls) < 2 and time.monotonic() < deadline:
        took_s = lasts_s(lambda: on.anna.history(chatId=on.chat_id))
        if took_s >= 0.25:
            stalls.append(time.monotonic())
        elif stalls:
            quick += 1
    assert stalls[1] - stalls[0] > 1.0
    assert quick > 0


@with_fault("stall_every_s=0.9", "stall_ms=850")
def stall_ms(on: Scene) -> None:
    """Told to last long, it does."""
    deadline = time.monotonic() + WAIT_S
    longest_s = 0.0
    while longest_s < 0.6 and time.monotonic() < deadline:
        longest_s = max(longest_s, lasts_s(lambda: on.anna.history(chatId=on.chat_id)))
    assert longest_s >= 0.6


@with_fault("error_rate=1")
def error_rate(on: Scene) -> None:
    assert on.anna.send(on.chat_id, "no").status_code == 500
    assert on.anna.rest("POST", "chat_messages", on.row("no")).status_code == 500
    assert on.stored == []


@with_fault("error_after_commit_rate=1")
def error_after_commit_rate(on: Scene) -> None:
    assert on.anna.send(on.chat_id, "one").status_code == 500
    assert on.anna.rest("POST", "chat_messages", on.row("two")).status_code == 500
    assert [row["message_text"] for row in on.stored] == ["one", "two"]


@with_fault("refuse_stored_rate=1")
def refuse_stored_rate(on: Scene) -> None:
    assert on.anna.send(on.chat_id, "one").status_code == 403
    assert on.anna.rest("POST", "chat_messages", on.row("two")).json()["code"] == "42501"
    assert [row["message_text"] for row in on.stored] == ["one", "two"]


@with_fault("lost_ack_rate=1")
def lost_ack_rate(on: Scene) -> None:
    answer = on.anna.send(on.chat_id, "one", clientGeneratedId=new_key())
    assert (answer.status_code, answer.json()["message_text"], answer.json()["seq"]) == (201, "one", 1)
    answer = on.anna.rest("POST", "chat_messages", on.row("two"), "return=representation")
    assert (answer.status_code, answer.json()[0]["message_text"]) == (201, "two")
    assert on.stored == []
    assert on.outsider.send(on.chat_id, "three").status_code == 403


@with_fault("duplicate_rate=1")
def duplicate_rate(on: Scene) -> None:
    on.anna.send(on.chat_id, "app").raise_for_status()
    on.anna.rest("POST", "chat_messages", on.row("rest")).raise_for_status()
    assert [row["message_text"] for row in on.stored] == ["app", "app", "rest", "rest"]


@with_fault("corrupt_text_rate=1")
def corrupt_text_rate(on: Scene) -> None:
    assert on.anna.send(on.chat_id, "hello").json()["message_text"] == "hello"
    on.anna.rest("POST", "chat_messages", on.row("again")).raise_for_status()
    assert [row["message_text"] for row in on.stored] == ["hell?", "agai?"]


@with_fault("wrong_sender_rate=1")
def wrong_sender_rate(on: Scene) -> None:
    assert on.anna.send(on.chat_id, "mine").json()["sender_id"] == on.anna_person.id
    assert [row["sender_id"] for row in on.stored] == [on.ben_person.id]
    alone = on.office.stage.chat(on.anna_person)
    assert on.anna.send(alone, "nobody else here").status_code == 201


@with_fault("forget_idempotency_rate=1")
def forget_idempotency_rate(on: Scene) -> None:
    key = new_key()
    first, again = (on.anna.send(on.chat_id, "twice", clientGeneratedId=key) for _ in range(2))
    assert first.json()["id"] != again.json()["id"]
    row = on.row("thrice") | {"client_generated_id": new_key()}
    for _ in range(2):
        on.anna.rest("POST", "chat_messages", row).raise_for_status()
    assert [row["message_text"] for row in on.stored] == ["twice", "twice", "thrice", "thrice"]


@with_fault("wrong_seq_answer_rate=1")
def wrong_seq_answer_rate(on: Scene) -> None:
    assert on.anna.send(on.chat_id, "one").json()["seq"] == 2
    answer = on.anna.rest("POST", "chat_messages", on.row("two"), "return=representation", select="id,seq")
    assert answer.json()[0]["seq"] == 3
    assert on.seqs == [1, 2]


@with_fault("skip_seq_rate=1")
def skip_seq_rate(on: Scene) -> None:
    for text in "abc":
        on.anna.send(on.chat_id, text).raise_for_status()
    assert on.seqs == [1, 3, 5]


@with_fault("null_seq_rate=1")
def null_seq_rate(on: Scene) -> None:
    on.anna.send(on.chat_id, "uncounted").raise_for_status()
    assert on.seqs == [None]


@with_fault("repeat_seq_rate=1")
def repeat_seq_rate(on: Scene) -> None:
    for text in "ab":
        on.anna.send(on.chat_id, text).raise_for_status()
    assert on.seqs == [1, 1]


@with_fault("swap_seq_rate=1")
def swap_seq_rate(on: Scene) -> None:
    for text in "ab":
        on.anna.send(on.chat_id, text).raise_for_status()
    assert [(row["message_text"], row["seq"]) for row in on.stored] == [("b", 1), ("a", 2)]


@with_fault("history_skip_rate=0.5")
def history_skip_rate(on: Scene) -> None:
    for number in range(30):
        on.anna.send(on.chat_id, str(number)).raise_for_status()
    assert 0 < len(on.ben.history(chatId=on.chat_id).json()) < 30
    assert 0 < len(on.ben.stored(on.chat_id)) < 30


@with_fault("access_open=1")
def access_open(on: Scene) -> None:
    assert on.anna.send(on.chat_id, "between us").status_code == 201
    assert len(on.outsider.history(chatId=on.chat_id).json()) == 1
    assert len(on.outsider.stored(on.chat_id)) == 1
    assert on.outsider.send(on.chat_id, "me too").status_code == 201
    assert on.outsider.rest("POST", "chat_messages", on.row("as Anna")).status_code == 201


@with_fault("sender_unchecked=1")
def sender_unchecked(on: Scene) -> None:
    forged = {"senderId": on.ben_person.id}
    assert on.anna.send(on.chat_id, "as Ben", **forged).json()["sender_id"] == on.ben_person.id
    assert on.anna.send(on.chat_id, "as Anna").status_code == 201
    assert on.outsider.send(on.chat_id, "as Ben", **forged).status_code == 403
    assert on.anna.rest("POST", "chat_messages", on.row("x") | {"sender_id": on.ben_person.id}).is_error
    assert [row["sender_id"] for row in on.stored] == [on.ben_person.id, on.anna_person.id]


@with_fault("anonymous_accepted=1")
def anonymous_accepted(on: Scene) -> None:
    on.anna.send(on.chat_id, "between us").raise_for_status()
    for caller in (on.office.nobody, on.office.with_token(on.office.stage.anon_key)):
        assert len(caller.history(chatId=on.chat_id).json()) == 1
        assert caller.send(on.chat_id, "me too").status_code == 401
    assert on.outsider.history(chatId=on.chat_id).json() == []


@with_fault("user_id_unchecked=1")
def user_id_unchecked(on: Scene) -> None:
    on.anna.send(on.chat_id, "seen?").raise_for_status()
    assert on.outsider.rpc("get_unread_count", p_chat_id=on.chat_id, p_user_id=on.ben_person.id).json() == 1
    for_ben = {"p_chat_id": on.chat_id, "p_user_id": on.ben_person.id}
    assert on.anna.rpc("mark_messages_as_read", **for_ben).json() == [{"updated_count": 1}]
    assert on.outsider.rpc("get_latest_seq", p_chat_id=on.chat_id).is_error


@with_fault("signature_unchecked=1")
def signature_unchecked(on: Scene) -> None:
    header, payload, _ = on.anna_person.token.split(".")
    signature = on.ben_person.token.split(".")[2]
    forger = on.office.with_token(f"{header}.{payload}.{signature}")
    assert forger.send(on.chat_id, "as Anna").json()["sender_id"] == on.anna_person.id
    assert len(forger.stored(on.chat_id)) == 1
    assert on.office.with_token("no.token.x").send(on.chat_id, "x").status_code == 401


@with_fault("receipt_ignored_rate=1")
def receipt_ignored_rate(on: Scene) -> None:
    on.anna.send(on.chat_id, "seen?").raise_for_status()
    assert (on.mark("delivered").status_code, on.mark("read").status_code) == (200, 200)
    assert [row["status"] for row in on.stored] == ["sent"]


@with_fault("status_invalid_rate=1")
def status_invalid_rate(on: Scene) -> None:
    on.anna.send(on.chat_id, "seen?").raise_for_status()
    on.mark("delivered").raise_for_status()
    assert [row["status"] for row in on.stored] == ["seen"]


@with_fault("status_regress_rate=1")
def status_regress_rate(on: Scene) -> None:
    on.anna.send(on.chat_id, "read").raise_for_status()
    on.mark("read").raise_for_status()
    assert [row["status"] for row in on.stored] == ["sent"]


@with_fault("token_lifetime_s=7")
def token_lifetime_s(on: Scene) -> None:
    claims = jwt.decode(on.anna_person.token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 7


@with_fault("expired_accepted=1", "token_lifetime_s=1")
def expired_accepted(on: Scene) -> None:
    ends_s = jwt.decode(on.anna_person.token, options={"verify_signature": False})["exp"]
    while time.time() <= ends_s + 1:
        time.sleep(0.1)
    assert on.anna.send(on.chat_id, "still here").status_code == 201
    assert [row["message_text"] for row in on.ben.history(chatId=on.chat_id).json()] == ["still here"]
    assert on.outsider.history(chatId=on.chat_id).json() == []
    assert on.mark("read").json() == [{"updated_count": 1}]


def faults_of_realtime() -> set[str]:
    """The faults that realtime/test_faults.py switches on: its texts that read ``name=value``."""
    source = (Path(__file__).parent / "realtime" / "test_faults.py").read_text(encoding="utf-8")
    texts = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    names = {fault.name for fault in DECLARED}
    return names & {str(text).partition("=")[0] for text in texts if "=" in str(text)}


def test_every_declared_fault_is_tested() -> None:
    assert {fault.name for fault in DECLARED} == set(TESTS) | faults_of_realtime()


@pytest.mark.parametrize("name", TESTS)
def test_the_fault_acts(stage: RunningStage, http: httpx.Client, name: str) -> None:
    settings, test = TESTS[name]
    assert any(setting.startswith(f"{name}=") for setting in settings)
    with scene(stage, http, *settings) as on:
        test(on)


def test_a_share_strikes_about_as_often_as_it_says_and_the_same_way_each_time() -> None:
    first, again = (Faults(["error_rate=0.2"]) for _ in range(2))
    draws = [first.hit("error_rate") for _ in range(10_000)]
    assert draws == [again.hit("error_rate") for _ in range(10_000)]
    assert 1_800 < sum(draws) < 2_200


def test_a_fault_that_is_off_never_strikes() -> None:
    off = Faults(["error_rate=0"])
    assert not any(off.hit(fault.name) for fault in DECLARED)
    assert not any(off.is_on(fault.name) for fault in DECLARED)
