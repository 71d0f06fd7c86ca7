"""Faults that act on everybody, and the short runs in which they act: each alone, or with others that nobody could mix up."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from analysis.evidence import Evidence
from analysis.record.codes import AttemptKind, Guise, SocketEvent, Way
from tests.adversary import server_truth
from tests.adversary.let_in import let_in, who_was_let
from tests.adversary.server_truth import Told, nothing

LARGE_HISTORY = "00000000-0000-4000-8000-000000200000"  # a chat, and its only writer; neither is of the run
HISTORY_INDEXES = {
    "idx_chat_messages_chat_id_seq_desc": "create index {} on chat_messages (chat_id, seq desc)",
    "uq_chat_messages_chat_id_seq": "create unique index {} on chat_messages (chat_id, seq)",
}
STATUSES = (
    "alter table chat_messages add constraint chat_messages_status_check "
    "check (status in ('sent', 'delivered', 'read'))"
)
# The first chat of a run gets a long history, of which Realtime is not told.
DEEP_HISTORY = """
    create function public.zz_adversary_deep() returns trigger language plpgsql security definer as $f$
    begin
      if not exists (select from public.chat_messages where seq = 200000) then
        alter publication supabase_realtime drop table public.chat_messages;
        set local session_replication_role = replica;
        insert into public.chat_messages (chat_id, sender_id, message_text, seq, status)
        select new.id, new.created_by, 'old ' || n, n, 'read' from generate_series(1, 200000) n;
        insert into public.chat_seq_counters values (new.id, 200000);
        set local session_replication_role = origin;
        alter publication supabase_realtime add table public.chat_messages;
      end if;
      return new;
    end $f$"""
DEEP_HISTORY_DELETED = """
    do $$
    begin
      alter publication supabase_realtime drop table public.chat_messages;
      set local session_replication_role = replica;
      delete from public.chat_messages
      where seq < 200000 and chat_id = (select chat_id from public.chat_messages where seq = 200000);
      alter publication supabase_realtime add table public.chat_messages;
    end $$"""
STORM_EVERY_S = 5
_READ_AND_SEND = (AttemptKind.READ, AttemptKind.SEND)


@dataclass(frozen=True)
class EnvironmentFault:
    """A way in which the whole environment misbehaves.

    Attributes:
        stage: faults of ``chatsoak stage``.
        breaks: the criteria that must fail, and no other.
        named: what their findings must say.
        acted: whether it is to be seen that the fault acted, where no finding shows it.
        load_s: how long the load has to be.
        before: statements before the run, when the stage is there; `prepared`: once it has its chats; `during`: once the
            load has begun; `after`: mend what they have done.
        forgotten: somebody begins a transaction before `prepared`, and ends it after the run.
    """

    name: str
    what: str
    stage: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    named: Callable[[Told], server_truth.Said] = nothing
    acted: Callable[[Told], bool] = lambda _: True
    settings: Mapping[str, str] = field(default_factory=dict)
    load_s: int = 10
    how: str = "chatsoak stage --fault"
    before: tuple[str, ...] = ()
    prepared: tuple[str, ...] = ()
    during: tuple[str, ...] = ()
    forgotten: bool = False
    after: tuple[str, ...] = ()


def _closed(record: Evidence, why: str) -> int:
    """How many sockets ended for this reason."""
    closed = record.sockets[record.sockets["event"] == SocketEvent.CLOSED]
    return int(closed["detail"].astype(str).str.contains(why).sum())


def _refused(record: Evidence, why: str) -> bool:
    refused = record.sockets[record.sockets["event"] == SocketEvent.REFUSED]
    return bool(refused["detail"].astype(str).str.contains(why).any())


def _refreshed(record: Evidence) -> int:
    return int(record.calls["name"].astype(str).str.contains("refresh_token").sum())


def _late_s(record: Evidence) -> float:
    """The median time from a commit until its event was received, by the clock that all share here."""
    sends = record.sends.drop_duplicates("message_id").set_index("message_id")["answered_ns"]
    events = record.events[record.events["message_id"].isin(sends.index)].drop_duplicates("message_id")
    return float((events["received_ns"] - events["message_id"].map(sends)).median()) / 1e9


def _listened(told: Told) -> bool:
    return any(one.kind is AttemptKind.SUBSCRIBE for one in let_in(told))


def _wrote_and_read(told: Told) -> bool:
    """Everything but to listen was let through."""
    return {one.kind for one in let_in(told)} >= set(AttemptKind) - {AttemptKind.SUBSCRIBE}


def _was_let(told: Told, guise: Guise, *ways: Way, kinds: Iterable[AttemptKind]) -> bool:
    """Whether this guise got each of these, through each of these ways."""
    found = {(one.kind, one.way) for one in let_in(told) if one.guise is guise}
    return set(kinds) <= {kind for kind, _ in found} and set(ways) <= {way for _, way in found}


SLOW = EnvironmentFault(
    "SlowApp",
    "the app answers 600 ms late",
    ("latency_ms=600",),
    ("latency.send.avg", "latency.send.p95"),
    settings={"CHATSOAK_TARGET_SEND_AVG_MS": "300", "CHATSOAK_TARGET_SEND_P95_MS": "500"},
    load_s=8,
)
SLOW_TAIL = EnvironmentFault(
    "SomeSendsSlow",
    "the app answers up to a second late: a good average, a bad tail",
    ("latency_jitter_ms=1000",),
    ("latency.send.p95",),
    settings={
        "CHATSOAK_TARGET_SEND_AVG_MS": "780",
        "CHATSOAK_TARGET_SEND_P95_MS": "800",
        "CHATSOAK_THINK_TIME_S": "0.2",
    },
    load_s=12,
)
LATE_EVENTS = EnvironmentFault(
    "LateEvents",
    "events come 1.5 s late",
    ("realtime_delay_ms=1500",),
    ("latency.delivery.p95",),
    settings={"CHATSOAK_TARGET_DELIVERY_P95_MS": "1000"},
)
OPEN = (
    EnvironmentFault(
        "AppAndRestOpen",
        "the app and REST let everybody in",
        ("access_open=1",),
        ("access.denied",),
        who_was_let,
        acted=_wrote_and_read,
        # Enough attempts that somebody listens where somebody writes.
        settings={"CHATSOAK_OUTSIDER_SHARE": "0.9", "CHATSOAK_THINK_TIME_S": "0.2"},
        load_s=20,
    ),
    EnvironmentFault(
        "RealtimeOpen",
        "Realtime tells everybody everything",
        ("realtime_open=1",),
        ("access.denied",),
        who_was_let,
        acted=_listened,
    ),
)
EXPIRED = EnvironmentFault(
    "ExpiredTokensTaken",
    "the app and REST take tokens that have expired",
    ("expired_accepted=1", "token_lifetime_s=6"),
    ("access.denied",),
    who_was_let,
    acted=lambda told: _was_let(told, Guise.EXPIRED_TOKEN, Way.APP, Way.REST, kinds=_READ_AND_SEND),
    settings={
        "CHATSOAK_OUTSIDER_SHARE": "0.9",
        "CHATSOAK_OUTSIDER_EXPIRED_S": "0.5",
        "CHATSOAK_THINK_TIME_S": "0.1",  # so that in the half that is left each thing is tried often
    },
    load_s=15,
)
# Whom each lets in, and to what, no other does.
UNCHECKED = (
    EnvironmentFault(
        "SenderUnchecked",
        "the app stores a message under whatever name its sender gives, in a chat of their own",
        ("sender_unchecked=1",),
        ("access.denied",),
        who_was_let,
        acted=lambda told: _was_let(told, Guise.ANOTHER_PERSON, Way.APP, kinds=[AttemptKind.SEND]),
        settings={"CHATSOAK_OUTSIDER_SHARE": "0.9", "CHATSOAK_THINK_TIME_S": "0.2"},
        load_s=20,
    ),
    EnvironmentFault(
        "SignatureUnchecked",
        "the app and REST take tokens whoever has signed them",
        ("signature_unchecked=1",),
        ("access.denied",),
        who_was_let,
        acted=lambda told: _was_let(told, Guise.ALTERED_TOKEN, Way.APP, Way.REST, kinds=_READ_AND_SEND),
    ),
    EnvironmentFault(
        "AnonymousReaders",
        "the app shows messages to people without a session",
        ("anonymous_accepted=1",),
        ("access.denied",),
        who_was_let,
        acted=lambda told: (
            _was_let(told, Guise.NO_TOKEN, Way.APP, kinds=[AttemptKind.READ])
            and _was_let(told, Guise.ANON_KEY, Way.APP, kinds=[AttemptKind.READ])
        ),
    ),
    EnvironmentFault(
        "UserIdUnchecked",
        "the functions mark and count messages for whomever they are told to",
        ("user_id_unchecked=1",),
        ("access.denied",),
        who_was_let,
        acted=lambda told: _was_let(told, Guise.ANOTHER_PERSON, Way.REST, kinds=[AttemptKind.UNREAD]),
    ),
)
MANY_AT_ONCE = EnvironmentFault(
    "ManyAtOnce",
    "the server errs in five ways at once",
    (
        "skip_seq_rate=0.1",
        "null_seq_rate=0.1",
        "status_invalid_rate=0.06",
        "realtime_drop_rate=0.04",
        "history_skip_rate=0.04",
    ),
    ("seq.gaps", "seq.missing", "status.invalid", "realtime.missed", "history.pages"),
    server_truth.what_the_server_did,
    settings={
        "CHATSOAK_HISTORY_SHARE": "0.3",
        "CHATSOAK_RECONNECT_SHARE": "0",
        "CHATSOAK_OUTSIDER_SHARE": "0.1",
        "CHATSOAK_DRAIN_S": "6",  # whoever misses a chat's last event waits for it
    },
    load_s=14,
    # The stage takes the constraint away when it starts; no run begins without.
    before=(STATUSES,),
    during=("alter table chat_messages drop constraint chat_messages_status_check",),
    after=("delete from chat_messages where status = 'seen' or seq is null",),
)
INDEXES_DROPPED = EnvironmentFault(
    "HistoryIndexesDropped",
    "both indexes on (chat_id, seq) of a table of 200,000 messages are dropped",
    breaks=("plan.history",),
    named=server_truth.the_three_largest_chats,
    settings={"CHATSOAK_TARGET_HISTORY_QUERY_MS": "60000"},  # it is the plan that is wrong, however quick
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
)
ROWS_DEAD = EnvironmentFault(
    "HistoryFullOfDeadRows",
    "200,000 deleted messages of a chat cannot be cleaned away, because of a transaction that somebody has forgotten",
    breaks=("plan.history",),
    named=server_truth.the_largest_chat,
    # Far from what the query takes in either case, quick machine or slow: 10 ms and more, and less than 0.1 ms.
    settings={"CHATSOAK_TARGET_HISTORY_QUERY_MS": "1"},
    how="SQL",
    before=(
        DEEP_HISTORY,
        (
            "create trigger zz_adversary_deep after insert on public.chats "
            "for each row execute function public.zz_adversary_deep()"
        ),
    ),
    forgotten=True,
    prepared=(DEEP_HISTORY_DELETED,),
    after=(
        "drop trigger zz_adversary_deep on public.chats",
        "drop function public.zz_adversary_deep",
        "delete from public.chats where id in (select chat_id from public.chat_messages where seq = 200000)",
    ),
)
NUISANCES = (
    EnvironmentFault(
        "SocketsClosed",
        f"all sockets are closed every {STORM_EVERY_S} s",
        (f"realtime_close_every_s={STORM_EVERY_S}",),
        acted=lambda told: _closed(told.record, "closed the socket with code 1000") >= 6,
        load_s=18,
    ),
    EnvironmentFault(
        "SocketsCut",
        "all sockets are cut every 7 s",
        ("realtime_cut_every_s=7",),
        acted=lambda told: _closed(told.record, "without a close frame") >= 6,
    ),
    EnvironmentFault(
        "DeafSockets",
        "a third of the sockets get nothing any more, and stay open",
        ("realtime_deaf_rate=0.3",),
        acted=lambda told: _closed(told.record, "did not answer a heartbeat") >= 1,
        settings={"CHATSOAK_HEARTBEAT_S": "1"},
    ),
    EnvironmentFault(
        "JoinsRefused",
        "some joins are refused",
        ("realtime_refuse_join_rate=0.03",),
        acted=lambda told: _refused(told.record, "UnableToConnectToProject"),
    ),
    EnvironmentFault(
        "ShortTokens",
        "tokens are valid for 8 s",
        ("token_lifetime_s=8",),
        acted=lambda told: _refreshed(told.record) >= 12,
    ),
    EnvironmentFault(
        "ReplicationSlow",
        "Realtime looks at the log twice a second only",
        ("realtime_poll_ms=500",),
        acted=lambda told: _late_s(told.record) >= 0.1,
    ),
)

RUNS: tuple[tuple[EnvironmentFault, ...], ...] = (
    (SLOW,),
    (SLOW_TAIL,),
    (LATE_EVENTS,),
    OPEN,
    (EXPIRED,),
    UNCHECKED,
    (MANY_AT_ONCE,),
    (INDEXES_DROPPED,),
    (ROWS_DEAD,),
    NUISANCES,
)
ENVIRONMENT_FAULTS = tuple(fault for run in RUNS for fault in run)
