"""Who was let in though they may not be: as what passed the proxy, and what the database holds in the end, say.

The record serves for one thing: to find the attempt that a verdict has to name, by who tried what, where, and when. One
that the tool did not write down is an error here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.record.codes import AttemptKind, Guise, Outcome, Way
from tests.adversary.expectations import Named
from tests.adversary.intruders import LIFE_KNOWN_TO_S, Bearer, Got, first_events
from tests.adversary.server_truth import CLOSE_NS, Said, Told
from tests.adversary.truth import OUTSIDERS

JOINED_WITHIN_NS = 6_000_000_000  # a join is answered by then, or given up


@dataclass(frozen=True)
class LetIn:
    """Somebody got or changed what is not theirs.

    Attributes:
        names: what a finding must say.
        certain: False: the tool may have been gone before an event came.
    """

    kind: AttemptKind
    guise: Guise
    way: Way
    names: dict[str, Any]
    certain: bool = True


def who_was_let(told: Told) -> Said:
    """All of them, for `access.denied`."""
    found = list(let_in(told))
    certain: list[Named] = [[one.names] for one in found if one.certain]
    perhaps: list[Named] = [[one.names] for one in found if not one.certain]
    return Said({"access.denied": certain}, {"access.denied": perhaps})


def let_in(told: Told) -> Iterator[LetIn]:
    """What was given to people who may not have it, and what they have written."""
    attempts = _attempts(told)
    yield from _written(told, attempts)
    taken: set[int] = set()
    # What is certain first: whose own request came at the border of their token's life must not take the attempt of another one.
    for got in sorted(first_events(told.intruders.got), key=_is_at_the_border):
        if got.chat not in told.chats:
            continue
        guise = got.guise(told.chats[got.chat].participants)
        late = got.bearer.outlived and guise is None
        if guise is None and not late:
            continue
        here = _under_way(attempts, got)
        here = here[~here.index.isin(taken)]
        here = here[here["guise"] == (Guise.EXPIRED_TOKEN if late else guise)]
        if late and here.empty and _is_at_the_border(got):
            continue  # somebody's own
        assert len(here), f"not in the record, as {guise and guise.name}: {got}"
        attempt = here.iloc[0]
        taken.add(int(attempt.name))
        left_ns, heard_until_ns = int(attempt["left_ns"]), int(attempt["answered_ns"]) - CLOSE_NS
        yield LetIn(
            got.kind,
            Guise(attempt["guise"]),
            got.way,
            {"chat_id": got.chat, "sender_id": attempt["user"], "at_ns": [left_ns, left_ns]},
            certain=got.kind is not AttemptKind.SUBSCRIBE or got.at_ns < heard_until_ns,
        )


def _attempts(told: Told) -> pd.DataFrame:
    record = told.record
    return record.attempts.assign(
        user=record.attempts["user_id"].map(record.people.text),
        chat=record.attempts["chat_id"].map(record.chats.text),
        key=record.attempts["client_generated_id"].map(record.messages.text),
    ).sort_values("left_ns")


def _is_at_the_border(got: Got) -> bool:
    """Whether it is open if the token was over."""
    return got.bearer.outlived and got.bearer.late_s < LIFE_KNOWN_TO_S


def _under_way(attempts: pd.DataFrame, got: Got) -> pd.DataFrame:
    """The attempts at this that were under way, of the one who asked, where that is known."""
    here = attempts[(attempts["kind"] == got.kind) & (attempts["way"] == got.way)]
    here = here[here["chat"] == got.chat]
    if got.bearer.holder is not None:
        here = here[here["user"] == got.bearer.holder]
    if got.kind is AttemptKind.SUBSCRIBE:  # it begins once the join is confirmed, and events may come before
        # By one that was refused nobody listened: an event that came meanwhile was for their own device.
        here = here[here["outcome"] != Outcome.FAIL]
        return here[here["left_ns"].between(got.since_ns, got.since_ns + JOINED_WITHIN_NS)]
    return here[(here["left_ns"] <= got.at_ns) & (here["answered_ns"] >= got.at_ns)]


def _written(told: Told, attempts: pd.DataFrame) -> Iterator[LetIn]:
    """Messages of outsiders that are stored: but for those in a chat of one's own that are under one's own name."""
    by_key = attempts[attempts["kind"] == AttemptKind.SEND].set_index("key")
    for row in told.rows():
        if not (row["message_text"] or "").startswith(OUTSIDERS):
            continue
        key, chat = str(row["client_generated_id"]), told.chats[str(row["chat_id"])]
        bearer, way = told.intruders.sent[key]
        guise = Guise(by_key.loc[key, "guise"])
        if _is_theirs(bearer, chat.participants, str(row["sender_id"]), guise):
            continue
        # By its key: whoever reads or listens there afterwards may be given this very message.
        names = {"chat_id": chat.id, "client_generated_id": key}
        yield LetIn(
            AttemptKind.SEND, guise, way, names | {"sender_id": bearer.holder or by_key.loc[key, "user"]}
        )


def _is_theirs(bearer: Bearer, participants: list[str], sender: str, guise: Guise) -> bool:
    """Whether somebody wrote under their own name, with their own token, in a chat of their own. Where it is open whether the
    token was over, the record says whether an old one was tried."""
    over = bearer.late_s >= LIFE_KNOWN_TO_S or (bearer.outlived and guise is Guise.EXPIRED_TOKEN)
    genuine = bearer.subject == bearer.holder and not over
    return genuine and bearer.holder in participants and bearer.holder == sender
