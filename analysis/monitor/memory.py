"""What the monitor knows of the run's rows, and which of them are due for another look: pure, no database.

Per row it keeps its ids, seq, status and fingerprints of its fields, about 520 bytes in all (a test measures it): a run of a
million messages costs the monitor's process about 520 MB. Findings are about rows of the run's own people only, and not
about what was there before the run: whatever else happens in a chat is written down and never blamed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from analysis.monitor.findings import Noticed, Remembered, gap, gone, judge
from analysis.monitor.numbers import Frontier, Holders
from analysis.monitor.rows import Row, Stored, gone_observation
from analysis.record.codes import ObservedChange, Status

Hole = tuple[bytes, int, int]  # chat, first and last missing seq


@dataclass(slots=True)
class Look:
    """What one look at the database brings: filled while it goes on, so that a look which breaks off loses nothing.

    Attributes:
        poll: its number.
        at_ns: when its snapshot was taken.
    """

    poll: int
    at_ns: int
    observations: list[Row] = field(default_factory=list)
    findings: list[Noticed] = field(default_factory=list)
    new: int = 0
    changed: int = 0
    gone: int = 0


class _Turns:
    """Rows that are looked at in turn, those that have waited longest first."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, None] = {}

    def add(self, message_id: bytes) -> None:
        self._waiting.setdefault(message_id)

    def discard(self, message_id: bytes) -> None:
        self._waiting.pop(message_id, None)

    def first(self, count: int) -> list[bytes]:
        return list(islice(self._waiting, count))

    def had(self, message_id: bytes) -> None:
        """To the end of the queue, if it is in this one."""
        if message_id in self._waiting:
            del self._waiting[message_id]
            self._waiting[message_id] = None


class Memory:
    """The run's rows as last seen."""

    def __init__(self, baseline: Mapping[bytes, int], people: Collection[bytes]) -> None:
        """
        Args:
            baseline: each chat of the run and its newest seq before the first send.
            people: of the run.
        """
        self.began_us = 0  # when the baseline was taken, by the database's clock, as far as is known
        self._baseline = dict(baseline)
        self._people = {
            person: person for person in people
        }  # so that rows share the bytes of their sender's id
        self._chats = {chat: chat for chat in baseline}  # so that rows share the bytes of their chat's id
        self._frontiers = {chat: Frontier(seq) for chat, seq in baseline.items()}
        self._holders: dict[bytes, Holders] = {}
        self._rows: dict[bytes, Remembered] = {}
        self._gone: set[bytes] = set()
        self._by_key: dict[
            int, bytes
        ] = {}  # by hash of sender and client_generated_id: the first message with them
        # Kept apart, because the verdict rests on when a row stopped being `sent`, and a soak piles up rows that
        # were delivered and that nobody reads.
        self._undelivered = _Turns()
        self._moving = _Turns()  # anything else that is not read: it will move, or something is wrong with it
        self._settled = _Turns()  # read: nothing should happen to them any more

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._rows

    @property
    def baseline(self) -> tuple[list[bytes], list[int]]:
        """Chats, and their newest seq before the first send."""
        return list(self._baseline), list(self._baseline.values())

    @property
    def frontiers(self) -> tuple[list[bytes], list[int]]:
        """Chats, and the seq from which on there may be something new."""
        return list(self._frontiers), [frontier.seq for frontier in self._frontiers.values()]

    def due(self, undelivered: int, moving: int, settled: int) -> list[bytes]:
        """Rows to look at again, those first that have waited longest: at most so many of each kind."""
        return (
            self._undelivered.first(undelivered) + self._moving.first(moving) + self._settled.first(settled)
        )

    def looked(self, due: Iterable[bytes]) -> None:
        """A poll came to its end; only then have the rows that were `due` had their turn."""
        for message_id in due:
            for kind in (self._undelivered, self._moving, self._settled):
                kind.had(message_id)
        for frontier in self._frontiers.values():
            frontier.looked()

    def holes(self) -> list[Hole]:
        """The seqs that nobody had, between the baseline of a chat of the run and the highest ever seen."""
        return [
            (chat, low, high)
            for chat, holders in self._holders.items()
            if chat in self._baseline
            for low, high in holders.holes(above=self._baseline[chat])
        ]

    def gaps(self, look: Look, xmin: int, next_xid: int) -> None:
        """Tell of numbers that nobody will have any more: see `Frontier.stays`. For after each poll."""
        for chat, frontier in self._frontiers.items():
            if hole := frontier.stays(xmin, next_xid):
                look.findings.append(gap(chat, *hole, look.at_ns))

    def known(self, message_id: bytes | None) -> Remembered | None:
        """The row as last seen."""
        return None if message_id is None else self._rows.get(message_id)

    def was_there(self, message_id: bytes | None) -> bool:
        """Whether a look has seen it, and a later one has not."""
        return message_id in self._gone

    def message_of(self, sender_id: bytes, client_generated_id: bytes | None) -> bytes | None:
        """The first message that was seen with these."""
        return self._by_key.get(hash((sender_id, client_generated_id))) if client_generated_id else None

    def not_seen_by(self, look: Look) -> list[bytes]:
        """Every row that `look` has not brought."""
        return [message_id for message_id, known in self._rows.items() if known.poll != look.poll]

    def take_in(self, rows: Iterable[Stored], look: Look) -> None:
        """`rows` were there."""
        for row in rows:
            known = self._rows.get(row.message_id)
            if known is None or known.poll != look.poll:
                self._see_one(row, known, look)

    def miss(self, asked: Iterable[bytes], look: Look) -> None:
        """All of `asked` were looked for: those that `look` has not brought are gone."""
        for message_id in asked:
            known = self._rows.get(message_id)
            if known is not None and known.poll != look.poll:
                self._forget(message_id, known)
                look.gone += 1
                look.observations.append(
                    gone_observation(
                        look.poll, look.at_ns, message_id, known.chat_id, known.seq, known.status
                    )
                )
                if known.sender_id in self._people:
                    look.findings.append(gone(message_id, known, look.at_ns))

    def _see_one(self, row: Stored, known: Remembered | None, look: Look) -> None:
        fingerprint = row.fingerprint
        if known is not None and known.fingerprint == fingerprint:
            known.poll = look.poll
            return
        change = ObservedChange.APPEARED if known is None else ObservedChange.CHANGED
        look.new += known is None
        look.changed += known is not None
        look.observations.append(row.observation(look.poll, change, look.at_ns))
        if known is not None and known.seq is not None:
            self._holders[known.chat_id].release(known.seq, row.message_id, gone=False)
        chat = self._chats.setdefault(row.chat_id, row.chat_id)
        others: tuple[bytes, ...] = ()
        if row.seq is not None:
            others = self._holders.setdefault(chat, Holders()).take(row.seq, row.message_id)
            if frontier := self._frontiers.get(chat):
                frontier.saw(row.seq)
        now = self._remembered(row, chat, fingerprint, look)
        if self._is_judged(row, known):
            look.findings += judge(row, known, others, self._copy_of(row), look.at_ns)
        self._rows[row.message_id] = now
        turns = self._turns(row)
        for kind in (self._undelivered, self._moving, self._settled):
            if kind is turns:
                kind.add(row.message_id)
            else:
                kind.discard(row.message_id)

    def _remembered(self, row: Stored, chat: bytes, fingerprint: int, look: Look) -> Remembered:
        sender = row.sender_id and self._people.get(row.sender_id, row.sender_id)
        key = row.client_generated_id
        return Remembered(chat, row.seq, row.status, sender, key, row.said, fingerprint, look.poll)

    def _is_judged(self, row: Stored, known: Remembered | None) -> bool:
        """Whether it is, or was, one of the run's own people's, and of this run."""
        theirs = row.sender_id in self._people or (known is not None and known.sender_id in self._people)
        return theirs and (row.created_us is None or row.created_us >= self.began_us)

    def _copy_of(self, row: Stored) -> bytes | None:
        if row.sender_id is None or row.client_generated_id is None:
            return None
        first = self._by_key.setdefault(hash((row.sender_id, row.client_generated_id)), row.message_id)
        return first if first != row.message_id else None

    def _turns(self, row: Stored) -> _Turns:
        if row.status is Status.SENT:
            return self._undelivered
        return self._settled if row.status is Status.READ and row.seq is not None else self._moving

    def _forget(self, message_id: bytes, known: Remembered) -> None:
        del self._rows[message_id]
        self._gone.add(message_id)
        for kind in (self._undelivered, self._moving, self._settled):
            kind.discard(message_id)
        if known.seq is not None:
            self._holders[known.chat_id].release(known.seq, message_id, gone=True)
