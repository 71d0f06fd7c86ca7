"""Faults: every way in which the environment can be told to misbehave. All are off unless named.

A fault acts at one named point of the server, where the code asks `faults`. The names and meanings below are
what ``chatsoak stage --help`` and docs/staging.md show.
"""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

from staging.errors import StageError


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that can be switched on.

    Attributes:
        unit: ``share`` (0 to 1, of the occasions), ``ms``, ``s`` or ``count``.
        meaning: what happens, as one phrase.
    """

    name: str
    unit: str
    meaning: str
    breaks: str = ""  # the criteria that should notice, with commas


DECLARED = (
    # The app and REST
    Fault(
        "latency_ms",
        "ms",
        "every request of the app and REST waits this long before it is handled",
        "latency.*",
    ),
    Fault("latency_jitter_ms", "ms", "and up to this much longer, uniformly"),
    Fault("stall_every_s", "s", "every so often the app and REST stand still for a while", "latency.*"),
    Fault("stall_ms", "ms", "how long they stand still then (default 2000)"),
    Fault("error_rate", "share", "a send is answered 500 before anything is stored", "errors.send"),
    Fault("error_after_commit_rate", "share", "a send is stored and answered 500", "errors.send"),
    Fault("refuse_stored_rate", "share", "a send is stored and answered 403", "messages.unexpected"),
    Fault(
        "lost_ack_rate",
        "share",
        "a send is acknowledged and not stored; its seq is given again, and a repeat is answered with another id",
        "messages.lost, seq.duplicates, idempotency.retries",
    ),
    Fault("duplicate_rate", "share", "a send is stored twice", "messages.duplicated"),
    Fault("corrupt_text_rate", "share", "the stored text differs from the one sent", "messages.corrupted"),
    Fault(
        "wrong_sender_rate",
        "share",
        "a send is stored under another participant's name",
        "messages.corrupted",
    ),
    Fault("forget_idempotency_rate", "share", "a repeat is stored as a new message", "idempotency.retries"),
    Fault("wrong_seq_answer_rate", "share", "the answer's seq is not the stored one", "messages.corrupted"),
    Fault("skip_seq_rate", "share", "a seq is handed out and never used", "seq.gaps"),
    Fault("null_seq_rate", "share", "a message is stored without seq", "seq.missing"),
    Fault(
        "repeat_seq_rate",
        "share",
        "a message gets the seq of an earlier one (drops the unique index)",
        "seq.duplicates",
    ),
    Fault("swap_seq_rate", "share", "a message swaps its seq with the one before", "seq.order"),
    Fault("history_skip_rate", "share", "a message is missing from a page of history", "history.pages"),
    Fault(
        "access_open", "share", "the app and REST let everybody read and write everywhere", "access.denied"
    ),
    Fault(
        "sender_unchecked",
        "share",
        "the app takes the sender from the message's senderId, and asks only whether the caller is in the chat",
        "access.denied",
    ),
    Fault(
        "anonymous_accepted",
        "share",
        "the app shows messages to whoever has no session, or no more than the anon key",
        "access.denied",
    ),
    Fault(
        "user_id_unchecked",
        "share",
        "the functions that are told a user act for whoever is named, whoever asks",
        "access.denied",
    ),
    # Receipts
    Fault("receipt_ignored_rate", "share", "a receipt is answered 200 and changes nothing", "status.stuck"),
    Fault("status_invalid_rate", "share", "a receipt writes a status outside the three", "status.invalid"),
    Fault("status_regress_rate", "share", "a receipt sets a read message back to sent", "status.regressed"),
    # Auth
    Fault("token_lifetime_s", "s", "access tokens are valid for this long only (default 3600)"),
    Fault(
        "expired_accepted", "share", "the app and REST take an access token that has expired", "access.denied"
    ),
    Fault(
        "signature_unchecked",
        "share",
        "the app and REST take an access token whoever has signed it",
        "access.denied",
    ),
    # Realtime
    Fault("realtime_poll_ms", "ms", "pause between two looks at the replication slot (default 50)"),
    Fault("realtime_delay_ms", "ms", "every event is held back this long", "latency.delivery.p95"),
    Fault("realtime_drop_rate", "share", "an event is not sent to one of its receivers", "realtime.missed"),
    Fault(
        "realtime_duplicate_rate",
        "share",
        "an event is sent twice to one of its receivers",
        "realtime.duplicated",
    ),
    Fault(
        "realtime_reorder_rate",
        "share",
        "an event leaves after the next one of its kind in its channel",
        "realtime.reordered",
    ),
    Fault(
        "realtime_phantom_rate",
        "share",
        "an event is followed by one for a row that does not exist",
        "realtime.phantom",
    ),
    Fault("realtime_open", "share", "events go to subscribers whom RLS would refuse", "access.denied"),
    Fault("realtime_no_system_rate", "share", "a join is answered, and its `system` ok never comes"),
    Fault("realtime_refuse_join_rate", "share", "a join is refused with UnableToConnectToProject"),
    Fault("realtime_refuse_socket_rate", "share", "the WebSocket upgrade is refused with 429"),
    Fault(
        "realtime_unauthorized_rate",
        "share",
        "the WebSocket upgrade is refused with 401, as if the key were wrong",
    ),
    Fault("realtime_token_life_s", "s", "a channel's token counts as expired this long after it was given"),
    Fault("realtime_cut_every_s", "s", "every so often all sockets are cut without a close frame"),
    Fault("realtime_close_every_s", "s", "every so often all sockets are closed cleanly (1000)"),
    Fault("realtime_deaf_rate", "share", "a socket gets no events and no heartbeat replies, and stays open"),
)

_BY_NAME = {fault.name: fault for fault in DECLARED}


class Faults:
    """The faults that are on.

    Args:
        settings: ``NAME=VALUE`` texts.
        seed: of the draws, so that a run can be repeated.

    Raises:
        StageError: an unknown name, or a value that does not fit its unit.
    """

    def __init__(self, settings: Iterable[str] = (), seed: int = 1) -> None:
        self._values = dict(_parse(text) for text in settings)
        self._random = random.Random(seed)

    def hit(self, name: str) -> bool:
        """Whether the fault `name` (a share) strikes on this occasion."""
        share = self._values.get(_declared(name).name)
        return share is not None and self._random.random() < share

    def value(self, name: str, default: float = 0.0) -> float:
        """The value of `name`, or `default` when it is off."""
        return self._values.get(_declared(name).name, default)

    def is_on(self, name: str) -> bool:
        """Whether `name` was switched on at all."""
        return self._values.get(_declared(name).name, 0) > 0

    def latency_s(self) -> float:
        """How long this request has to wait."""
        jitter_ms = self.value("latency_jitter_ms")
        return (self.value("latency_ms") + (self._random.uniform(0, jitter_ms) if jitter_ms else 0)) / 1000

    def __str__(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in sorted(self._values.items())) or "none"


def _declared(name: str) -> Fault:
    return _BY_NAME[name]


def _parse(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    fault = _BY_NAME.get(name)
    if fault is None:
        known = ", ".join(sorted(_BY_NAME))
        raise StageError(f"Fault {text}: expected NAME=VALUE with one of these names: {known}.")
    if not equals:
        raise StageError(f"Fault {name}: it has no value; expected {name}=VALUE ({fault.unit}).")
    try:
        number = float(value)
    except ValueError:
        raise StageError(f"Fault {name}: expected a number ({fault.unit}), found {value!r}.") from None
    if not 0 <= number < math.inf or (fault.unit == "share" and number > 1):
        limits = "a share from 0 to 1" if fault.unit == "share" else f"0 or more ({fault.unit})"
        raise StageError(f"Fault {name}: expected {limits}, found {value}.")
    return name, number
