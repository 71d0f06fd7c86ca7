"""The figures beside a criterion, each with its name and, in a sentence, what it says.

A figure that had no sentence here would stand in the report unexplained: a test finds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.report.numbers import between, is_short, is_too_few, number

WITHOUT = "_without_ms"  # behind the id of a criterion of latency

# By the fact's name, or by the criterion's id and that: its words, with {} for figure and unit, and what it says.
FACTS = {
    "avg_ms": ("average {}", "The sum of all latencies, divided by how many there are."),
    "p50_ms": ("P50 {}", "The median: half of all latencies do not exceed it."),
    "p95_ms": ("P95 {}", "95 of 100 latencies do not exceed it."),
    "p99_ms": ("P99 {}", "99 of 100 latencies do not exceed it."),
    "max_ms": ("slowest {}", "The slowest of all."),
    **{
        f"{time}_{name}_ms": (f"{time} time: {words} {{}}", f"{what} {meaning}")
        for time, what in (
            ("response", "From the moment at which a send was due until it was answered."),
            ("service", "From the moment at which a send left until it was answered."),
        )
        for name, words, meaning in (
            ("avg", "average", "The average."),
            ("p50", "P50", "Half of all do not exceed it."),
            ("p95", "P95", "95 of 100 do not exceed it."),
            ("p99", "P99", "99 of 100 do not exceed it."),
            ("max", "slowest", "The slowest of all."),
        )
    },
    "warmup_s": ("left out as warm-up: {}", "What the first seconds of the run took is in no latency here, while caches fill and users arrive."),
    "minutes": ("whole minutes judged: {}", "The run was also cut into whole minutes, each judged by itself."),
    "minutes_within_target": ("of them within target: {}", "How many of these minutes kept the target by themselves."),
    "left_out_ms": ("in the part that is left out: {}", "What the same figure would be for the warm-up alone: it misses the target."),
    "without_generator_ms": ("without the load generator's own delays: {}", "The figure is not to be believed: so much is left of it without the delays that the load generator itself may be to blame for."),
    "short_run": ("a short run", "The run is too short to show how slowly its level moves: its interval may have to be wider than it says."),
    "level_moved": ("the level moved", "A step or a drift within the run: its interval is that of no level, and so wide that it hides what changed."),
    "too_few": ("too few values", "The percentile lies among the very highest values: the true one may lie above all that were seen, and the interval may have to be wider than it says."),
    "p50_too_few": ("too few values for P50", "The same of P50."),
    "p99_too_few": ("too few values for P99", "The same of P99."),
    "all_minutes": ("whole minutes with the warm-up: {}", "The same for all of the run, the part that is left out too."),
    "all_minutes_within_target": ("of these within target: {}", "How many of the minutes of the whole run kept the target by themselves."),
    "straddles": ("the interval holds the target", "The 95% interval reaches to both sides of the target: another run like this one may come out the other way."),
    "across_clocks": ("{} not timed", "Deliveries between machines whose clocks cannot be compared: they are counted, and in no latency."),
    "steps": ("steps: {}", "How often the P95 moved to another level for good: the table below the plot has when, and what lies near."),
    "errors.send.not_ok": ("{} not acknowledged", "All sends that were refused or had no clear answer."),
    "errors.send.refused": ("{} refused", "The server said no: an answer 4xx."),
    "errors.send.unknown": ("{} without a clear answer", "Timed out, broken off or answered 5xx: they may be stored or not."),
    "errors.send.after_the_end": ("{} after the end", "Sends that met no server when Locust had been killed, and with it perhaps the embedded staging environment: they are not counted."),
    "errors.send.after_leaving": ("{} refused after leaving", "Sends of people who had left the chat, or been removed from it, and were refused with 403 or 404, as they should be: they are not counted."),
    "messages.lost.recovered": ("{} recovered", "Sends without a clear answer that are stored all the same: no fault."),
    "messages.lost.rows_of_other_people": ("rows of others: {}", "Messages in these chats that are no sends of this run: of people who are no users of the run, or tried in another's name and rightly stored under one's own. Seen, and blamed on nobody."),
    "messages.unexpected.refused": ("{} refused", "Messages that the server refused: none of them may be stored."),
    "messages.unexpected.unsent_rows": ("{} that nobody sent", "Messages in the name of users of the run that the record has no send of. They are findings where the record is whole, and the message is of the run for certain."),
    "idempotency.retries.attempts": ("attempts: {}", "How often these messages were sent in all."),
    "seq.gaps.open": ("{} still open", "Missing numbers that a transaction, which had not ended at the last look, may still fill."),
    "seq.gaps.perhaps_given": ("{} perhaps given", "Missing numbers that a message which came and went between two looks may have had: it was shown with them, or its deletion was told."),
    "seq.order.own_clock_only": ("{} compared on one clock only", "Messages of machines whose clock was not measured: held against those of the same machine."),
    "realtime.missed.arrived": ("{} arrived", "Deliveries that an event of Realtime brought."),
    "realtime.missed.caught_up": ("{} caught up", "Deliveries that nobody was owed by Realtime, because the person was reconnecting, and that reading history brought."),
    "realtime.missed.undecided": ("{} undecided", "Deliveries that did not come between machines whose clocks were never compared: nobody knows whether they were owed."),
    "realtime.missed.unawaited": ("{} not waited for", "Deliveries that had not come when people went offline who did not know that there was something to wait for."),
    "realtime.missed.unread": ("{} read nowhere", "Deliveries between two subscriptions that no event brought, and no page of history either: those that were to bring them could not be read."),
    "realtime.missed.around_restarts": ("{} lost around restarts", "Deliveries that did not come while PostgreSQL restarted: nothing is held against Realtime for them."),
    "realtime.missed.not_in_history": ("{} not in history", "Deliveries that somebody who was reconnecting should have read in history, and did not."),
    "realtime.duplicated.repeated_by_another_subscription": ("{} repeated after a reconnect", "Messages that came once more by the next subscription: no fault, for Realtime cannot know what the last one brought."),
    "realtime.phantom.unseen_of_others": ("{} of others, unseen", "Events of messages of people who are no users of the run, or of sends without a clear answer, or of load processes that were killed, that no look saw: gone between two looks, come later, or never there."),
    "status.regressed.commit_times_unused": ("{} events without a time of commit", "The database's clock was set during the run: its times of commit prove nothing of what came first."),
    "status.stuck.open": ("{} not judged", "Messages that were acknowledged, or said to be read, too shortly before the last look."),
    "history.pages.pages": ("on pages: {}", "How many pages of history were read."),
    "history.pages.texts": ("{} texts compared", "How many messages on pages had a text to be held against what was sent and stored; 0 where the app's answers name it otherwise (`CHATSOAK_ANSWER_TEXT`)."),
    "history.pages.unseen": ("{} unseen", "Messages on pages, of people who are no users of the run, of sends without a clear answer, or of load processes that were killed, that no look saw: gone between two looks, come later, or never there."),
    "access.denied.unclear": ("{} proved nothing", "Attempts that were answered 5xx, 429 or not at all: nobody refused them."),
    "access.denied.nothing_to_be_had": ("{} had nothing to get", "Attempts that were answered with nothing where there was nothing: they prove nothing either."),
    "access.denied.tried_outsider": ("{} as outsiders", "Attempts by people with a valid token on chats that they are not in."),
    "access.denied.tried_expired_token": ("{} with an expired token", "Attempts with an access token whose time was over (CHATSOAK_OUTSIDER_EXPIRED_S)."),
    "access.denied.tried_altered_token": ("{} with an altered token", "Attempts with a token that names somebody else, under the signature that it had."),
    "access.denied.tried_no_token": ("{} without a token", "Attempts by nobody at all."),
    "access.denied.tried_anon_key": ("{} with the anon key", "Attempts with no more than the key that everybody has."),
    "access.denied.tried_another_person": ("{} in another's name", "Attempts with one's own token that name another participant."),
    "drift.latency.rose": ("{} rose within target", "Series that rose beyond chance, and have room for that below their target."),
    "drift.latency.stepped": ("{} rose by a step", "Series that rose at once, and are judged from there on."),
    "plan.history.chats": ("chats: {}", "The run's largest chats: on each of them the query was explained."),
    "plan.history.slowest_ms": ("slowest {}", "The slowest of all samples; the target applies to the median of each chat."),
    "plan.history.rows_read_at_most": ("rows read at most: {}", "By one sample. A page has 50 rows: by the right index no more are read."),
    "generator.healthy.stalled_s": ("stood still for {}", "All the time in which a load process did not run, and so could neither send nor see an answer."),
    "generator.healthy.still_share": ("stood still for {} of the load, at least", "For such a share of its time, after the warm-up, the load process that fared worst did not run for sure: users sent less than they would have."),
    "generator.healthy.longest_stall_ms": ("longest of it {}", "The longest time for which a load process stood still."),
    "generator.healthy.overflow": ("{} waited for a slot", "Open workload: actions that were due and had to wait because as many as allowed were under way (CHATSOAK_MAX_IN_FLIGHT)."),
    "generator.healthy.never_left": ("{} never left", "Open workload: actions that were due and had not left when the load stopped. They are in no latency."),
    "generator.healthy.own_socket_errors": ("errors of its own: {}", "How often this machine had no socket or memory left for the load: errors that are not the server's."),
    "generator.healthy.processes": ("load processes: {}", "How many processes made the load."),
    "generator.healthy.processes_needed": ("load processes needed: {}", "As many load processes, with a core each, would have kept up with this load."),
    "generator.healthy.cpu_share": ("{} of a core used", "How much of a processor core a load process used on average. One core is the most it can use."),
    "generator.healthy.cpu_allowed": ("cores allowed: {}", "How many processor cores it might use, by its affinity and its control group's quota."),
    "generator.healthy.gc_longest_ms": ("longest garbage collection {}", "For so long at most Python stopped a load process to tidy its memory."),
    "generator.healthy.late_p95_ms": ("left late by {} (P95)", "One send in twenty left at least so late for reasons of the load generator's own."),
    "generator.healthy.late_ms": ("woken late by {} at most", "Open workload: how long after its due time an action was begun, at worst."),
    "generator.healthy.run_delay_s": ("waited {} for a processor", "The load processes could have run for so long, and others had the processor."),
    "generator.healthy.throttled_s": ("throttled for {}", "For so long the quota of its control group kept a load process from running."),
    "monitor.complete.failed": ("looks that failed: {}", "Looks at the database that had no answer."),
    "monitor.complete.longest_between_looks_s": ("at most {} between looks", "What came and went within that time was not seen."),
    "monitor.complete.restarts": ("started again: {}", "How often the monitor ended in mid-run and another went on from its record."),
    "record.complete.rows": ("rows: {}", "What the load processes wrote down."),
    "record.complete.dropped": ("{} dropped", "Rows that could not be written down."),
}  # fmt: skip

OF_THE_GENERATOR = (
    "What this figure would be without the delays that the load generator itself may be to blame for."
)
PERCENT = {"cpu_share", "still_share"}  # shares, of which there is one
UNITS = {"_ms": " ms", "_s": " s"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as people read it. `meaning` is None where nothing is known of it."""

    text: str
    meaning: str | None


def facts(entry: Mapping[str, Any]) -> list[Fact]:
    """The facts of a criterion of ``verdict.json``, in its order."""
    return [_fact(entry, name, value) for name, value in entry["facts"].items()]


def _fact(entry: Mapping[str, Any], name: str, value: float | int) -> Fact:
    if name.endswith(WITHOUT):
        return Fact(f"{name.removesuffix(WITHOUT)} without its delays: {number(value)} ms", OF_THE_GENERATOR)
    words, meaning = FACTS.get(f"{entry['id']}.{name}") or FACTS.get(name) or (f"{_plain(name)} {{}}", None)
    return Fact(words.format(_figure(name, value)) + _interval(entry, name), meaning)


def _interval(entry: Mapping[str, Any], name: str) -> str:
    """The 95% interval of a fact that has one: of a percentile that runs are compared by."""
    ends = entry.get("intervals", {}).get(name)
    if ends is None:
        return ""
    least = is_short(entry) or is_too_few(entry, name.removesuffix("ms"))
    return f" (95% interval {between(*ends, least=least)})"


def _figure(name: str, value: float | int) -> str:
    if name in PERCENT:
        return f"{value:.0%}"
    unit = next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")
    return f"{number(value)}{unit}"


def _plain(name: str) -> str:
    """The name of a fact that nobody explained, as far as it can be read."""
    suffix = next((suffix for suffix in UNITS if name.endswith(suffix)), "")
    return name.removesuffix(suffix).replace("_", " ")
