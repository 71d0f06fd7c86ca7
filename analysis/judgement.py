"""A judged run: the verdict, and what a report needs to show how it came about. No input or output here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.latency import NS_PER_S, Targets
from analysis.panels import Panel
from analysis.record.run import Run
from analysis.server import Server
from analysis.settings import Transport
from analysis.timeline import Timeline
from analysis.trends import Trends

REST_PATH = "/rest/v1/chat_messages"  # Supabase's own; the app's path is a setting


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge found.

    Attributes:
        verdict: the content of ``verdict.json``.
        origin_ns: what a finding's `at_ns` counts from on the timeline's axis; None where nothing was sent.
        database: facts about the monitor's part of the record, by their names for people.
        panels_s: width of the buckets that the small plots draw.
        load_panels: how the load processes fared over time.
        trends: of latencies and gauges; None for a run that is too short for drifts.
    """

    run: Run
    verdict: dict[str, Any]
    targets: Targets
    timeline: Timeline
    origin_ns: int | None
    database: Mapping[str, str]
    server: Server
    panels_s: int
    load_panels: tuple[Panel, ...]
    trends: Trends | None = None

    @property
    def users(self) -> int:
        """The most Locust users at one time; 0 = not recorded."""
        return self.timeline.most_users

    @property
    def endpoint(self) -> str:
        """The path that messages were sent to."""
        if self.run.settings.get("CHATSOAK_TRANSPORT") == Transport.REST:
            return REST_PATH
        return str(self.run.settings.get("CHATSOAK_MESSAGES_PATH", "/api/messages"))

    def seconds(self, at_ns: int | None) -> float | None:
        """A finding's time on the timeline's axis, in seconds; None when it has none."""
        return None if at_ns is None or self.origin_ns is None else (at_ns - self.origin_ns) / NS_PER_S
