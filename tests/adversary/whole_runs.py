"""Faults that act on everybody, each in a short run of its own; and what a verdict must be in spite of them."""

import json
import os
import signal
from dataclasses import dataclass, field

from tests.locustfiles.soaks import Ended, describe, query
from tests.staging.stages import PASSWORD, RunningStage


@dataclass(frozen=True)
class EnvironmentFault:
    """A way in which the whole environment misbehaves.

    Attributes:
        stage: faults of ``chatsoak stage``.
        breaks: the criteria that must fail, and no other.
        embedded: only there do the faults work: a check before the load would refuse the database that they need.
        before: statements before the run; `during`: once the load has begun; `after`: mend what they have done.
    """

    name: str
    what: str
    stage: tuple[str, ...]
    breaks: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    embedded: bool = False
    how: str = "chatsoak stage --fault"
    before: tuple[str, ...] = ()
    during: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


LARGE_HISTORY = "00000000-0000-4000-8000-000000200000"  # a chat, and its only writer; neither is of the run
HISTORY_INDEXES = {
    "idx_chat_messages_chat_id_seq_desc": "create index {} on chat_messages (chat_id, seq desc)",
    "uq_chat_messages_chat_id_seq": "create unique index {} on chat_messages (chat_id, seq)",
}

ENVIRONMENT_FAULTS = (
    EnvironmentFault(
        "SlowApp",
        "the app answers 600 ms late",
        ("latency_ms=600",),
        ("latency.send.avg", "latency.send.p95"),
    ),
    EnvironmentFault(
        "SomeSendsSlow",
        "the app answers up to 590 ms late: a good average, a bad tail",
        ("latency_jitter_ms=590",),
        ("latency.send.p95",),
        {"CHATSOAK_TARGET_SEND_AVG_MS": "400"},
    ),
    EnvironmentFault(
        "LateEvents", "events come 1.5 s late", ("realtime_delay_ms=1500",), ("latency.delivery.p95",)
    ),
    EnvironmentFault(
        "AppAndRestOpen",
        "the app and REST let everybody in",
        ("access_open=1",),
        ("access.denied",),
        {"CHATSOAK_OUTSIDER_SHARE": "0.4"},
    ),
    EnvironmentFault(
        "RealtimeOpen",
        "Realtime tells everybody everything",
        ("realtime_open=1",),
        ("access.denied",),
        {"CHATSOAK_OUTSIDER_SHARE": "0.9"},
    ),
    EnvironmentFault(
        "ExpiredTokensTaken",
        "the app and REST take tokens that have expired",
        ("expired_accepted=1", "token_lifetime_s=4"),
        ("access.denied",),
        {"CHATSOAK_OUTSIDER_SHARE": "0.4", "CHATSOAK_OUTSIDER_EXPIRED_S": "0.5"},
    ),
    EnvironmentFault(
        "ManyAtOnce",
        "the server errs in five ways at once",
        (
            "skip_seq_rate=0.05",
            "null_seq_rate=0.05",
            "status_invalid_rate=0.03",
            "realtime_drop_rate=0.02",
            "history_skip_rate=0.02",
        ),
        ("seq.gaps", "seq.missing", "status.invalid", "realtime.missed", "history.pages"),
        {"CHATSOAK_HISTORY_SHARE": "0.3"},
        embedded=True,
    ),
    EnvironmentFault(
        "HistoryIndexesDropped",
        "both indexes on (chat_id, seq) of a table of 200,000 messages are dropped",
        (),
        ("plan.history",),
        how="SQL",
        before=(
            f"insert into auth.users (id, email) values ('{LARGE_HISTORY}', 'large@example.com')",
            f"insert into accounts (id, name, email) values ('{LARGE_HISTORY}', 'l', 'large@example.com')",
            f"insert into chats (id, type) values ('{LARGE_HISTORY}', 'group')",
            "alter table chat_messages disable trigger user",
            (
                "insert into chat_messages (chat_id, sender_id, message_text, seq) select "
                f"'{LARGE_HISTORY}', '{LARGE_HISTORY}', 'old ' || n, n from generate_series(1, 200000) n"
            ),
            "alter table chat_messages enable trigger user",
            "analyze chat_messages",
        ),
        during=tuple(f"drop index {name}" for name in HISTORY_INDEXES),
        after=(
            f"delete from chats where id = '{LARGE_HISTORY}'",
            f"delete from auth.users where id = '{LARGE_HISTORY}'",
            *(statement.format(name) for name, statement in HISTORY_INDEXES.items()),
        ),
    ),
    EnvironmentFault("SocketsClosed", "all sockets are closed every 3 s", ("realtime_close_every_s=3",)),
    EnvironmentFault("SocketsCut", "all sockets are cut every 3 s", ("realtime_cut_every_s=3",)),
    EnvironmentFault(
        "DeafSockets",
        "a third of the sockets get nothing any more, and stay open",
        ("realtime_deaf_rate=0.3",),
        settings={"CHATSOAK_HEARTBEAT_S": "1"},
    ),
    EnvironmentFault("JoinsRefused", "some joins are refused", ("realtime_refuse_join_rate=0.03",)),
    EnvironmentFault("ShortTokens", "tokens are valid for 8 s", ("token_lifetime_s=8",)),
    EnvironmentFault(
        "ReplicationSlow", "Realtime looks at the log twice a second only", ("realtime_poll_ms=500",)
    ),
)


def settings_for(stage: RunningStage, **settings: str) -> dict[str, str]:
    """The environment of a run on this stage."""
    # Several stages share a database, and each has a key of its own to derive passwords from; people of these runs
    # alone have this password, whatever other tests do with the same stage.
    own = {
        "CHATSOAK_OUTSIDER_SHARE": "0.2",
        "CHATSOAK_PASSWORD": PASSWORD,
        "CHATSOAK_PERSON_EMAIL": "adversary+{n}@example.com",
    }
    return {**describe(stage), **own, **settings}


def clean_but(ended: Ended, broken: set[str]) -> None:
    """Exactly these criteria failed, everything else passed, and everything was checked."""
    assert ended.verdict, ended.output
    outcomes = {one["id"]: one["outcome"] for one in ended.verdict["criteria"]}
    said = {
        one["id"]: (one["reason"], [example["why"] for example in one["examples"][:3]])
        for one in ended.verdict["criteria"]
        if one["outcome"] != "pass"
    }
    assert {name for name, outcome in outcomes.items() if outcome == "fail"} == broken, said
    assert {name for name, outcome in outcomes.items() if outcome == "inconclusive"} == set(), said
    assert ended.code == (1 if broken else 0)


def kill_postgresql(stage: RunningStage) -> None:
    """Kill one of its processes so that all others end at once too, as if its power were cut; it comes back by itself."""
    checkpointer = query(stage, "select pid from pg_stat_activity where backend_type = 'checkpointer'")[0][
        "pid"
    ]
    os.kill(checkpointer, signal.SIGKILL)


def answers(stage: RunningStage) -> bool:
    try:
        return bool(query(stage, "select not pg_is_in_recovery() as up")[0]["up"])
    except Exception:  # noqa: BLE001 - it may refuse in many ways while it comes back
        return False


def described(ended: Ended) -> str:
    return json.dumps(
        [
            (one["id"], one["outcome"], one["reason"], one["examples"][:2])
            for one in ended.verdict["criteria"]
            if one["outcome"] != "pass"
        ],
        indent=1,
    )
