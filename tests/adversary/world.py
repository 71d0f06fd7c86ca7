"""Faults of the tool's own world, and of the ways to its target: what they are, and what a verdict says of each.

Nobody may be blamed for any of them. Where the tool could not see enough, a criterion is inconclusive, and says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.checks.findings import NO_LAST_LOOK
from tests.adversary.whole_runs import described
from tests.locustfiles.soaks import TOO_SHORT_FOR


@dataclass(frozen=True)
class WorldFault:
    """Something that happens to the tool, or to the way between it and its target.

    Attributes:
        inconclusive: by criterion that must be so, words of its reason; `perhaps` of those that may be.
        told: by criterion that passes, words that it has to say all the same.
        blind: without a last look at the database, all that rests on it may be inconclusive, and say so.
        instead: what happens where there is no verdict.
    """

    what: str
    how: str
    inconclusive: Mapping[str, str] = field(default_factory=dict)
    perhaps: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    blind: bool = False
    instead: str = ""


SLOT_LOST = {"realtime.missed": "PostgreSQL went away"}

WORLD_FAULTS = {
    "PostgresKilled": WorldFault(
        "PostgreSQL loses all its processes at once, and comes back by itself", "kill -9", perhaps=SLOT_LOST
    ),
    "PostmasterKilled": WorldFault(
        "PostgreSQL is killed altogether, and started again a moment later", "kill -9", perhaps=SLOT_LOST
    ),
    "LoadProcessKilled": WorldFault(
        "a load process of two is killed", "kill -9", {"record.complete": "cut off"}
    ),
    "LocustKilled": WorldFault(
        "Locust is killed; `chatsoak report` judges what there is",
        "kill -9",
        {"record.complete": "the run was cut off"},
    ),
    "MonitorKilled": WorldFault(
        "the monitor is killed, and another one takes over",
        "kill -9",
        told={"monitor.complete": "was started once more"},
    ),
    "MonitorKilledTwice": WorldFault(
        "the monitor that took over is killed, too",
        "kill -9",
        {
            "monitor.complete": "last look after the drain is missing",
            "plan.history": "the monitor did not come to its end",
        },
        blind=True,
    ),
    "MonitorKilledEarly": WorldFault(
        "the monitor is killed before it is ready", "kill -9", instead="the run does not begin: exit code 2"
    ),
    "NoConnectionLeft": WorldFault(
        "the database has no connection left; the monitor and half of the app lose theirs",
        "SQL (200 connections)",
    ),
    "LookSlow": WorldFault("a look at the database takes longer than its interval", "proxy (TCP)"),
    "DatabaseOutOfReach": WorldFault(
        "the monitor's connection is reset, and new ones are refused for a while", "proxy (TCP)"
    ),
    "AnswerOfDatabaseCutOff": WorldFault("an answer of PostgreSQL to the monitor breaks off", "proxy (TCP)"),
    "QueryCutOff": WorldFault("a query of the monitor breaks off", "proxy (TCP)"),
    "DatabaseSilent": WorldFault("answers of PostgreSQL do not reach the monitor for 5 s", "proxy (TCP)"),
    "MonitorUnheard": WorldFault("queries of the monitor do not reach PostgreSQL for 5 s", "proxy (TCP)"),
    "ConnectionsReset": WorldFault("all connections to the app and Supabase are reset", "proxy (TCP)"),
    "AnswersCutOff": WorldFault("an answer or an event breaks off on every connection", "proxy (TCP)"),
    "RequestsCutOff": WorldFault("a request or a heartbeat breaks off on every connection", "proxy (TCP)"),
    "EverythingSlow": WorldFault("everything takes 0.6 s longer, both ways", "proxy (TCP)"),
    "ServerSilent": WorldFault("nothing comes from the app and Supabase for 5 s", "proxy (TCP)"),
    "HeartbeatsLost": WorldFault(
        "nothing reaches Supabase for 5 s, while its events go on arriving", "proxy (TCP)"
    ),
    "RequestsHeldBack": WorldFault(
        "nothing reaches the app for 5 s, and all of it then, long after the tool gave up waiting",
        "proxy (TCP)",
    ),
    "SocketsClosedAtOnce": WorldFault(
        "all sockets are closed at once; their owners come back one by one", "chatsoak stage --fault"
    ),
    "NewestSeqUnknown": WorldFault(
        "`get_latest_seq` answers NULL, and events come 6 s late: users have to know otherwise what to wait for at the end",
        "SQL, chatsoak stage --fault",
        {"realtime.missed": "`get_latest_seq` told"},
    ),
    "HistoryRefusedAfterGap": WorldFault(
        "a subscription is confirmed anew in place of an event, and history answers 503 to whoever wants to read what they missed",
        "proxy (HTTP, WebSocket)",
        {"realtime.missed": "had lost a subscription and got another one"},
    ),
    "DiskFull": WorldFault(
        "the disk is full",
        "a small file system",
        {
            "record.complete": "did not close its record",
            "monitor.complete": "did not close its record",
        },
        {"plan.history": "the monitor did not come to its end"},
        blind=True,
    ),
    "FilesLimited": WorldFault(
        "no file may grow any further (where no file system may be mounted)",
        "a limit of the process",
        {"record.complete": "could not write"},
    ),
    "ClockJumps": WorldFault("the wall clock jumps by an hour, forwards and back", "libfaketime"),
    "GeneratorHeld": WorldFault(
        "the load generator is held to a quarter of its time",
        "signals",
        {
            "generator.healthy": "`latency.send.p95` is not to be believed",
            "latency.send.p95": "load generator",
        },
        {"latency.send.avg": "load generator"},
    ),
    "GeneratorHeldInClosedWorkload": WorldFault(
        "the same where users wait for answers: no latency shows it",
        "signals",
        {"generator.healthy": "stood still for at least"},
        dict.fromkeys(("latency.send.avg", "latency.send.p95", "latency.delivery.p95"), "load generator"),
    ),
}


def holds(verdict: Mapping[str, Any], *names: str) -> None:
    """The verdict says of these faults what it must, and blames nobody."""
    faults = [WORLD_FAULTS[name] for name in names]
    must = {criterion: words for fault in faults for criterion, words in fault.inconclusive.items()}
    may = {criterion: words for fault in faults for criterion, words in fault.perhaps.items()}
    told = {criterion: words for fault in faults for criterion, words in fault.told.items()}
    blind = any(fault.blind for fault in faults)
    for one in verdict["criteria"]:
        criterion, outcome, reason = one["id"], one["outcome"], one["reason"] or ""
        if blind and outcome == "inconclusive" and NO_LAST_LOOK in reason:
            continue
        if criterion in must or (criterion in may and outcome != "pass"):
            assert outcome == "inconclusive", described(verdict)
            assert (must | may)[criterion] in reason, described(verdict)
        else:
            right = {"pass", "info"} if criterion in TOO_SHORT_FOR else {"pass"}
            assert outcome in right, described(verdict)
            assert told.get(criterion, "") in reason, described(verdict)


def outcomes(*names: str) -> dict[str, str]:
    """The outcomes that these faults must have, as `expectations.write` keeps them."""
    faults = [WORLD_FAULTS[name] for name in names]
    must = {criterion: "inconclusive" for fault in faults for criterion in fault.inconclusive}
    return must | {criterion: "pass" for fault in faults for criterion in fault.told}
