"""What `errors.send` must say of sends and what was answered to them.

Written from the words of docs/what-is-checked.md and of the criterion, and from nothing else of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.criteria import Verdict
from analysis.record.codes import Outcome

# Looks: who leaves is in the chat at the first, not at the second, and back at the third, if they come back.
LAST_SEEN_S, FOUND_GONE_S, FOUND_BACK_S = 40.0, 50.0, 70.0
REFUSALS_OF_OUTSIDERS = (403, 404)


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt at a message: the first, or a repeat with the same key."""

    outcome: Outcome
    status_code: int
    words: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A message meant: who sent it, when first (in a second of its own), how each attempt went, and whether a row is there.

    Attributes:
        leaver: the sender leaves the chat between the first two looks.
    """

    leaver: bool
    at_s: float
    tries: tuple[Try, ...]
    stored: bool

    @property
    def known(self) -> bool:
        """Whether anybody knows which message it became: an answer named it, or its row has its key."""
        return self.stored or any(one.outcome is Outcome.OK for one in self.tries)


@dataclass(frozen=True, slots=True)
class Errors:
    """What must be said.

    Attributes:
        faults: of each attempt that was not acknowledged: the message's number, what was answered, whether its id is known.
    """

    faults: list[tuple[int, Try, bool]]
    checked: int
    after_leaving: int
    outcome: Verdict


def errors(sent: Sequence[Sent], share: float, *, back: bool) -> Errors:
    """The answer, attempt by attempt.

    Args:
        back: who left is seen to have come back.
    """
    faults, checked, after_leaving = [], 0, 0
    for number, message in enumerate(sent):
        for one in message.tries:
            may_have_left = message.leaver and message.at_s > LAST_SEEN_S
            may_have_left = may_have_left and not (back and message.at_s > FOUND_BACK_S)
            if one.outcome is Outcome.FAIL and one.status_code in REFUSALS_OF_OUTSIDERS and may_have_left:
                after_leaving += 1
                continue
            checked += 1
            if one.outcome is not Outcome.OK:
                faults.append((number, one, message.known))
    if not checked:
        outcome = Verdict.INCONCLUSIVE
    else:
        outcome = Verdict.FAIL if len(faults) > share * checked else Verdict.PASS
    return Errors(faults, checked, after_leaving, outcome)
