"""What passed the proxy to people who may not have it: by the token, the chat and the answer, never by the tool's word.

Whose a token is, is told by Auth's answers, which pass the proxy, too: an altered one has the signature of its holder's own.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analysis.record.codes import AttemptKind, Guise, Way
from tests.adversary.proxy import Request, Response, claims_of
from tests.adversary.truth import MESSAGES, OUTSIDERS, TOPIC, chat_of, is_change, is_page, is_send

REST_MESSAGES = "/rest/v1/chat_messages"
RPC = "/rest/v1/rpc/"
FUNCTIONS = {
    "get_latest_seq": AttemptKind.LATEST,
    "get_unread_count": AttemptKind.UNREAD,
    "mark_messages_as_delivered": AttemptKind.MARK_DELIVERED,
    "mark_messages_as_read": AttemptKind.MARK_READ,
}
# The server and the tool count a token's life from two ends of a request, and the server in whole seconds.
LIFE_KNOWN_TO_S = 1.5


@dataclass(frozen=True)
class Bearer:
    """Who asks, by the token.

    Attributes:
        token: None: there is none.
        holder: whom the token, or the one that it was made from, was given to; None: nobody.
        subject: whom it names.
        late_s: for how long it has been over; negative: it is still valid.
    """

    token: str | None
    holder: str | None
    subject: str | None
    late_s: float

    @property
    def outlived(self) -> bool:
        """Whether it may have been over already; within `LIFE_KNOWN_TO_S` that is open."""
        return self.late_s > -LIFE_KNOWN_TO_S


@dataclass(frozen=True)
class Got:
    """Something that somebody got or changed.

    Attributes:
        named: the person that the request names, where it names one.
        at_ns: when it was asked for; of an event: when it passed.
        since_ns: of an event: when its listener joined.
    """

    chat: str
    kind: AttemptKind
    way: Way
    bearer: Bearer
    named: str | None
    at_ns: int
    since_ns: int = 0

    def guise(self, participants: list[str]) -> Guise | None:
        """As whom they should not have got it; None: they may. Whether a token is over is left open: see `Bearer`."""
        bearer = self.bearer
        if bearer.subject is None:
            return Guise.NO_TOKEN if bearer.token is None else Guise.ANON_KEY
        if bearer.subject != bearer.holder:
            return Guise.ALTERED_TOKEN
        if bearer.holder not in participants:
            return Guise.OUTSIDER
        if self.named not in (None, bearer.holder):
            return Guise.ANOTHER_PERSON
        return None


class Intruders:
    """Filled while the proxy works.

    Attributes:
        got: all that anybody got of what outsiders try to get, whether they may or not.
        sent: outsiders' messages, by client_generated_id: who sent them, and through what.
    """

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.sent: dict[str, tuple[Bearer, Way]] = {}
        self._given: dict[str, str] = {}  # signature of a token → whom Auth gave it to
        self._joined: dict[tuple[int, str], tuple[Bearer, int]] = {}  # WebSocket and chat → who, and when

    def passed(self, request: Request, response: Response | None, asked_ns: int) -> None:
        """The tool got this answer; None: no whole one."""
        if is_send(request) or (request.method == "POST" and request.path == REST_MESSAGES):
            self._note_message(request)
        if response is None or not response.whole or not response.ok or not response.body:
            return
        if request.path == "/auth/v1/token":
            token = response.json["access_token"]
            self._given[token.rpartition(".")[2]] = claims_of(token)["sub"]
        elif (what := _what(request)) is not None and _gave(what[0], response.json):
            kind, way = what
            bearer, chat = self._bearer(request.token), _chat(request)
            if bearer.token is None or claims_of(bearer.token).get("role") != "service_role":
                self.got.append(Got(chat, kind, way, bearer, _named(request), asked_ns))

    def joined(self, listener: int, frame: list[Any]) -> None:
        """Somebody joins a channel on this WebSocket."""
        who = self._bearer(frame[4].get("access_token") or None)
        self._joined[listener, frame[2].removeprefix(TOPIC)] = who, time.monotonic_ns()

    def event(self, listener: int, message: bytes, at_ns: int) -> None:
        """A frame passed to a listener."""
        frame = json.loads(message)
        if is_change(frame, "INSERT") or is_change(frame, "UPDATE"):
            chat = str(frame[2]).removeprefix(TOPIC)
            if (listener, chat) in self._joined:
                who, since_ns = self._joined[listener, chat]
                self.got.append(Got(chat, AttemptKind.SUBSCRIBE, Way.REALTIME, who, None, at_ns, since_ns))

    def _note_message(self, request: Request) -> None:
        for body in request.json if isinstance(request.json, list) else [request.json]:
            if str(body.get("text", body.get("message_text"))).startswith(OUTSIDERS):
                way = Way.APP if request.path == MESSAGES else Way.REST
                key = body.get("clientGeneratedId") or body["client_generated_id"]
                self.sent[key] = self._bearer(request.token), way

    def _bearer(self, token: str | None) -> Bearer:
        claims = claims_of(token) if token else {}
        holder = self._given.get(token.rpartition(".")[2]) if token else None
        return Bearer(token, holder, claims.get("sub"), time.time() - claims.get("exp", time.time()))


def _what(request: Request) -> tuple[AttemptKind, Way] | None:
    """What it asks for, through what."""
    if is_page(request):
        return AttemptKind.READ, Way.APP
    if request.method == "GET" and request.path == REST_MESSAGES:
        return AttemptKind.READ, Way.REST
    kind = FUNCTIONS.get(request.path.removeprefix(RPC)) if request.path.startswith(RPC) else None
    return None if kind is None else (kind, Way.REST)


def _gave(kind: AttemptKind, answered: Any) -> bool:
    """Whether the answer holds a message, or a number above 0."""
    if kind in (AttemptKind.MARK_DELIVERED, AttemptKind.MARK_READ):
        return any(row["updated_count"] > 0 for row in answered)
    return len(answered) > 0 if isinstance(answered, list) else bool(answered)


def _chat(request: Request) -> str:
    return chat_of(request) or request.query.get("chat_id", "").removeprefix("eq.")


def _named(request: Request) -> str | None:
    body = request.json if request.body[:1] == b"{" else {}
    named: str | None = body.get("p_user_id") or body.get("p_receiver_id")
    return named


def first_events(got: list[Got]) -> Iterator[Got]:
    """All of `got`, but of events only the first that a listener got."""
    listening = set()
    for one in got:
        key = (one.chat, one.bearer.token, one.since_ns)
        if one.kind is not AttemptKind.SUBSCRIBE or key not in listening:
            listening.add(key)
            yield one
