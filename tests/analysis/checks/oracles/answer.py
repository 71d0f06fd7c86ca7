"""What an oracle answers, and whether a criterion says the same."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from analysis.criteria import Criterion, Finding, Verdict
from analysis.faults import pattern


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
    """Compare all that is counted, and the findings by `about`; what is told of all findings is true of those named."""
    assert _counted(map(about, found.examples)) == _counted(answer.faults)
    assert found.observed == found.found.count == len(answer.faults)
    assert {kind.why: kind.count for kind in found.found.largest} == _counted(
        pattern(one.why) for one in found.examples
    )
    assert found.found.at_ns.repeat(found.found.at_count).tolist() == sorted(
        one.at_ns for one in found.examples if one.at_ns is not None
    )
    for kind in found.found.largest:
        chats = _counted(
            one.chat_id for one in found.examples if one.chat_id and pattern(one.why) == kind.why
        )
        assert kind.chats == len(chats)
        assert kind.in_worst_chat == max(chats.values(), default=0) == chats[kind.worst_chat]
    assert found.checked == answer.checked
    assert found.facts == answer.facts
    assert found.outcome is answer.outcome, found.reason


def _counted(things: Iterable[Hashable]) -> Counter[Hashable]:
    return Counter(things)
