"""Moments by the clocks of several machines, and what a story lets one say of their order."""

from dataclasses import dataclass

from tests.analysis.checks.oracles.story import Message, Story

PARTS = 1000  # two clocks drift apart by one part in so many


@dataclass(frozen=True, slots=True)
class Moment:
    """A second by the clock of a host."""

    at: float
    host: str


class Timekeeping:
    """The clocks of a story, as far as its load processes compared them with the monitor's."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def on_leader(self, moment: Moment) -> tuple[float, float] | None:
        """Between which seconds of the monitor's clock it lies, or None: the two clocks were never compared."""
        if moment.host == self.story.monitor.host:
            return moment.at, moment.at
        measured = [
            one for one in self.story.offsets if self.story.processes[one.process].host == moment.host
        ]

        def ahead(at: float) -> tuple[float, float]:
            errors = [one.error + (one.error + abs(at - one.at)) / PARTS for one in measured]
            return (
                max(one.offset - error for one, error in zip(measured, errors, strict=True)),
                min(one.offset + error for one, error in zip(measured, errors, strict=True)),
            )

        if not measured or any(least > most for least, most in (ahead(one.at) for one in measured)):
            return None
        least, most = ahead(moment.at)
        return moment.at + least, moment.at + most

    def dated(self, moment: Moment) -> float | None:
        """The middle of these seconds, which findings tell."""
        placed = self.on_leader(moment)
        return None if placed is None else sum(placed) / 2

    def comparable(self, host: str, other: str) -> bool:
        placed = (self.on_leader(Moment(0, one)) for one in (host, other))
        return host == other or all(one is not None for one in placed)

    def lag(self, earlier: Moment, later: Moment) -> float | None:
        """How many seconds the one is before the other, at the least; None: that cannot be told."""
        if earlier.host == later.host:
            return later.at - earlier.at
        before, after = self.on_leader(earlier), self.on_leader(later)
        return None if before is None or after is None else after[0] - before[1]

    def moment(self, at: float, person: int) -> Moment:
        return Moment(at, self.story.host(person))

    def left(self, message: Message) -> Moment:
        return Moment(message.attempts[0].left, self.story.host(message.sender))
