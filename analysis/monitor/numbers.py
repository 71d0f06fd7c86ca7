"""Which seqs of a chat were handed out, as the monitor's looks have seen it: pure, no database."""

import heapq
from collections.abc import Iterator

PATIENCE_LOOKS = 30  # how often what lies above a hole is read again before the hole is left to the last look


class Frontier:
    """The highest seq of a chat below which nothing is missing, or has been missing for long."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self._above: list[int] = []
        self._looks_at_hole = 0
        self._hole: tuple[int, int] | None = None
        self._ran_then = 0

    def saw(self, seq: int) -> None:
        """Some message has this seq."""
        if seq <= self.seq:
            return
        heapq.heappush(self._above, seq)
        self._advance()

    def looked(self) -> None:
        """A look came to its end."""
        self._looks_at_hole = self._looks_at_hole + 1 if self._above else 0
        if self._looks_at_hole > PATIENCE_LOOKS:
            self.seq = heapq.heappop(self._above)
            self._advance()

    def stays(self, xmin: int, next_xid: int) -> tuple[int, int] | None:
        """First and last of the numbers that nobody has, once all transactions that ran at their first sight have ended.

        Told once. Whatever began later gets a number from above, so nobody will have them any more.

        Args:
            xmin, next_xid: of the snapshot that has just been looked at.
        """
        hole = (self.seq + 1, self._above[0] - 1) if self._above else None
        if hole != self._hole:
            self._hole, self._ran_then = hole, next_xid
        elif hole is not None and self._ran_then and xmin >= self._ran_then:
            self._ran_then = 0
            return hole
        return None

    def _advance(self) -> None:
        while self._above and self._above[0] <= self.seq + 1:
            self.seq = max(self.seq, heapq.heappop(self._above))
            self._looks_at_hole = 0


class Holders:
    """Which messages of one chat have which seq, by any that was ever seen: one each, if all is well."""

    def __init__(self) -> None:
        self.highest = 0
        self._by_seq: dict[int, tuple[bytes, ...]] = {}
        self._left_behind: dict[int, bytes] = {}  # by messages that are gone

    def holes(self, above: int) -> Iterator[tuple[int, int]]:
        """First and last of numbers in a row between `above` and `highest` that nobody ever had."""
        if sum(seq > above for seq in self._by_seq) == self.highest - above:
            return
        before = above
        for seq in (*sorted(seq for seq in self._by_seq if seq > above), self.highest + 1):
            if seq > before + 1:
                yield before + 1, seq - 1
            before = seq

    def take(self, seq: int, message_id: bytes) -> tuple[bytes, ...]:
        """`message_id` has `seq` now. Returns the others that have it, too, or had it when they went."""
        self.highest = max(self.highest, seq)
        others = self._others(seq, message_id)
        self._by_seq[seq] = (*others, message_id)
        before = self._left_behind.get(seq)
        if before is None or before in {message_id, *others}:
            return others
        return (*others, before)

    def release(self, seq: int, message_id: bytes, *, gone: bool) -> None:
        """`message_id` has it no more; `gone` = nor anything else."""
        self._by_seq[seq] = self._others(seq, message_id)  # nobody perhaps; but it was given
        if gone:
            self._left_behind[seq] = message_id

    def _others(self, seq: int, message_id: bytes) -> tuple[bytes, ...]:
        return tuple(holder for holder in self._by_seq.get(seq, ()) if holder != message_id)
