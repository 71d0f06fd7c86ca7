"""What somebody may try who may not, and as whom: every combination, and the session that each pretends to. Pure."""

import base64
from dataclasses import replace
from typing import Final, NamedTuple

import orjson

from analysis.record.codes import AttemptKind, Guise, Way
from locustfiles.clients.session import Session


class Attempt(NamedTuple):
    """One thing to try.

    Attributes:
        elsewhere: on a chat that the person is not in. See `Guise`.
    """

    kind: AttemptKind
    guise: Guise
    way: Way
    elsewhere: bool


_WAYS: Final = {
    AttemptKind.READ: (Way.APP, Way.REST),
    AttemptKind.LATEST: (Way.REST,),
    AttemptKind.SEND: (Way.APP, Way.REST),
    AttemptKind.SUBSCRIBE: (Way.REALTIME,),
    AttemptKind.MARK_DELIVERED: (Way.REST,),
    AttemptKind.MARK_READ: (Way.REST,),
    AttemptKind.UNREAD: (Way.REST,),
}


_IN_ANOTHER_S_NAME: Final = {  # requests that name a person
    AttemptKind.SEND,
    AttemptKind.MARK_DELIVERED,
    AttemptKind.MARK_READ,
    AttemptKind.UNREAD,
}


def attempts() -> list[Attempt]:
    """Everything that can be tried."""
    return [
        Attempt(kind, guise, way, elsewhere)
        for guise in Guise
        for kind, ways in _WAYS.items()
        for way in ways
        for elsewhere in _where(kind, guise, way)
        if not (guise is Guise.ANOTHER_PERSON and kind not in _IN_ANOTHER_S_NAME)
        # Realtime takes a socket without a token for one with the anon key.
        and not (guise is Guise.NO_TOKEN and way is Way.REALTIME)
    ]


def _where(kind: AttemptKind, guise: Guise, way: Way) -> tuple[bool, ...]:
    """In a chat of one's own (False), in one of others (True), or both: an app that takes the sender from the request may
    ask whether the caller is in the chat, or whether the sender is."""
    if guise is Guise.ANOTHER_PERSON and kind is AttemptKind.SEND and way is Way.APP:
        return False, True
    return (guise is Guise.OUTSIDER,)


def disguised(session: Session, guise: Guise, victim_id: str, anon_key: str) -> Session:
    """The session with which a request is made.

    Args:
        session: the person's own; for `Guise.EXPIRED_TOKEN` one of theirs that has expired. Nobody takes its refresh token along, for
            which an app with session cookies would rightly give a new session.
        victim_id: whom they pretend to be.
    """
    match guise:
        case Guise.OUTSIDER:
            return session
        case Guise.EXPIRED_TOKEN:
            return _with_token(session, session.access_token)
        case Guise.ALTERED_TOKEN:
            return replace(_with_token(session, altered(session.access_token, victim_id)), user_id=victim_id)
        case Guise.NO_TOKEN:
            return _with_token(session, "")
        case Guise.ANON_KEY:
            return _with_token(session, anon_key)
        case Guise.ANOTHER_PERSON:
            return replace(session, user_id=victim_id)


def altered(token: str, subject: str) -> str:
    """`token` with another ``sub`` in it, under the signature that it had.

    Source: RFC 7519, section 4.1.2; RFC 7515, section 3.1, for the three parts.
    """
    header, payload, signature = token.split(".")
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    changed = base64.urlsafe_b64encode(orjson.dumps({**claims, "sub": subject})).rstrip(b"=").decode("ascii")
    return f"{header}.{changed}.{signature}"


def _with_token(session: Session, token: str) -> Session:
    return replace(
        session,
        access_token=token,
        refresh_token="",
        answer={**session.answer, "access_token": token, "refresh_token": ""},
    )
