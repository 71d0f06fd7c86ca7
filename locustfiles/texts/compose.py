"""Compose messages as people write them. No clock and no global randomness: the same seed, the same texts."""

import math
from random import Random

from locustfiles.texts.phrases import KINDS, PLAIN

# Lengths of chat messages are close to log-normal: half of them have at most TYPICAL_LENGTH characters,
# about one in a hundred is longer than 300.
TYPICAL_LENGTH = 30
LENGTH_SPREAD = 1.0  # of the logarithm
LONGEST = 2_000  # characters

_PHRASES = [phrases for phrases, _ in KINDS]
_WEIGHTS = [weight for _, weight in KINDS]


class Texts:
    """An endless row of texts, no two alike within a run.

    Args:
        rng: source of every choice.
        origin: short name of the load process; texts of different origins never collide.
    """

    def __init__(self, rng: Random, origin: str) -> None:
        self._rng = rng
        self._origin = origin
        self._written = 0

    def next(self) -> str:
        """The next text. Its last word is a token (``·origin-count``) that makes it one of its kind."""
        self._written += 1
        wanted = min(LONGEST, round(self._rng.lognormvariate(math.log(TYPICAL_LENGTH), LENGTH_SPREAD)))
        parts = [self._rng.choice(self._rng.choices(_PHRASES, _WEIGHTS)[0])]
        length = len(parts[0])
        while length < wanted:
            parts.append(self._rng.choice(PLAIN))
            length += 1 + len(parts[-1])
        parts.append(f"·{self._origin}-{self._written:x}")
        return " ".join(parts)
