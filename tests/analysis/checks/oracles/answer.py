"""What an oracle answers, and whether a criterion says the same."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from analysis.criteria import Criterion, Finding, Verdict


@dataclass(slots=True)
class Answer:
    """What a criterion must say.

    Attributes:
        faults: each fault by what it is about; one that is there twice counts twice.
        unseen: something that it rests on was not seen.
    """

    faults: list[Hashable]
    checked: int
    unseen: bool = False
    facts: dict[str, float | int] = field(default_factory=dict)

    @property
    def outcome(self) -> Verdict:
        """A fault beats what was not seen, and that beats a pass; nothing checked is nothing seen."""
        if self.faults:
            return Verdict.FAIL
        return Verdict.INCONCLUSIVE if self.unseen or not self.checked else Verdict.PASS


def agree(found: Criterion, answer: Answer, about: Callable[[Finding], Hashable]) -> None:
    """Compare all that is counted, and the findings by `about`."""
    assert _counted(map(about, found.examples)) == _counted(answer.faults)
    assert found.observed == len(answer.faults)
    assert found.checked == answer.checked
    assert found.facts == answer.facts
    assert found.outcome is answer.outcome, found.reason


def _counted(things: Iterable[Hashable]) -> Counter[Hashable]:
    return Counter(things)
