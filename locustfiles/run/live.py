"""What is known of a run while it goes on: what the monitor and the load processes have noticed, and what Locust's statistics say."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from locust.stats import RequestStats

from analysis.visible import in_a_line
from locustfiles.clients.auth import SIGN_IN
from locustfiles.clients.outsider import SUFFIX
from locustfiles.clients.watch import DENIED, PAGES, PHANTOM, TOLD
from locustfiles.run.progress import Piece

NEWEST_KEPT = 10
AFTERWARDS = "judged after the run, from the whole record"
SOME_AFTERWARDS = (PHANTOM, PAGES)  # what shows at once is told at once; most of what they ask does not


class Live:
    """One run, as far as it has come."""

    def __init__(self) -> None:
        self._judged: tuple[str, ...] = ()
        self._found: Counter[str] = Counter()
        self._newest: dict[str, str] = {}
        self._findings: deque[tuple[str, str]] = deque(maxlen=NEWEST_KEPT)  # criterion and sentence
        self._stored = 0
        self._looks = 0
        self._strained: dict[str, tuple[int, str]] = {}  # by load process
        self._lost = ""  # why the database did not answer at the last look
        self._ended: list[str] = []  # how monitors ended before their time

    def hear(self, said: Mapping[str, Any]) -> str | None:
        """Take in what the monitor or a load process says; the finding in it, in words, if there is one."""
        self._judged = tuple(said.get("judges", self._judged))
        if look := said.get("look"):
            self._looks, self._stored = look["number"] + 1, look["stored"]
            self._lost = in_a_line(look["error"] or "")
        if not (finding := said.get("finding")):
            return None
        why = in_a_line(finding.get("why", ""))
        self._found.update(finding.get("more", {}))
        if criterion := finding.get("criterion"):
            self._found[criterion] += 1
            self._newest[criterion] = why
            self._findings.appendleft((criterion, why))
        return why or None

    def strained(self, process: str, seconds: int, words: str) -> None:
        """A load process did not keep up for so many seconds, in words."""
        self._strained.pop(process, None)
        self._strained[process] = seconds, words

    def monitor_ended(self, what: str) -> None:
        """The monitor ended in the middle of the run; `what` happened then, in words."""
        self._ended.append(what)

    def pieces(self, sends: str, stats: RequestStats, users: int, target_p95_ms: float) -> list[Piece]:
        """The run in a line, what matters most first: findings, P95 as Locust rounds it, rate, what is stored.

        The P95 is of what is judged: service time in a closed workload, response time (due to answered) in an open one.

        Args:
            sends: name of the sends in Locust's statistics.
        """
        sent, signed_in = stats.get(sends, "POST"), stats.get(SIGN_IN, "POST")
        there = signed_in.num_requests - signed_in.num_failures
        p95_ms = sent.get_response_time_percentile(0.95) or 0
        found = self._found.total()
        pieces = [Piece(_count(found, "finding"), alarming=found > 0)]
        if self._lost:
            pieces.append(Piece("the database does not answer", alarming=True))
        if there < users:
            pieces.append(Piece(f"{there:,} of {_count(users, 'user')} signed in"))
        return [
            *pieces,
            Piece(f"P95 ~{p95_ms:,.0f} of {target_p95_ms:,.0f} ms", alarming=p95_ms >= target_p95_ms),
            Piece(f"{sent.current_rps or sent.total_rps:,.1f} sends/s"),
            Piece(f"{self._stored:,} stored"),
            *([Piece(_count(users, "user"))] if there >= users else []),
        ]

    def rows(self, sends: str, stats: RequestStats) -> list[dict[str, str]]:
        """The run as a table: ``what``, ``count`` and ``newest``, a row for each count and criterion.

        Args:
            sends: name of the sends in Locust's statistics.
        """
        sent = stats.get(sends, "POST")
        tried = sum(entry.num_requests for (name, _), entry in stats.entries.items() if name.endswith(SUFFIX))
        rows = [
            _row("sends", sent.num_requests, f"{sent.num_failures:,} of them without an acknowledgement"),
            _row("stored messages", self._stored, f"after {self._looks:,} looks at the database"),
        ]
        if self._lost or self._ended:
            why = f"the database did not answer: {self._lost}" if self._lost else self._ended[-1]
            rows.append(_row("monitor.complete", len(self._ended) + bool(self._lost), why))
        for criterion in (*self._judged, *TOLD):
            nothing = "nothing so far"
            if criterion == DENIED:
                nothing = f"nothing so far, of {tried:,} attempts"
            elif criterion in SOME_AFTERWARDS:
                nothing = f"nothing so far; the rest is {AFTERWARDS}"
            rows.append(_row(criterion, self._found[criterion], self._newest.get(criterion, nothing)))
        if self._strained:
            worst = max(seconds for seconds, _ in self._strained.values())
            rows.append(_row("generator.healthy", worst, list(self._strained.values())[-1][1]))
        rows.append(_row("all other criteria", None, AFTERWARDS))
        rows += [_row(f"finding of {criterion}", None, why) for criterion, why in self._findings]
        return rows


def _count(number: int, one: str) -> str:
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def _row(what: str, count: int | None, newest: str) -> dict[str, str]:
    return {"what": what, "count": "" if count is None else f"{count:,}", "newest": newest}
