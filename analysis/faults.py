"""All faults of a criterion: counted by what they say, placed in time, and some of them told in words. No input or output here.

A fault that touches every message must not fill the memory. Of each one only its time, its chat and its kind are kept, as
numbers; what a person reads is made for `MAX_EXAMPLES` of them at most, some of every large kind among them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from analysis.criteria import Criterion, Finding, Found, Kind, Verdict

Ints = NDArray[np.int64]

MAX_EXAMPLES = 1000  # named in verdict.json for each criterion; `observed` always has the full count
OF_EACH_KIND = 3  # findings that are named before others are, be there ever so many of another kind
MAX_KINDS = 100  # told in verdict.json for each criterion, the largest
MAX_SENTENCES = 1000  # made to see which kinds say the same

UNKNOWN = -1  # time or chat

_PARTICULAR = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?: \(gone\))?"  # an id, of a row that may be gone
    r"|(?<!HTTP )(?<!\d)\d(?:[\d,.]*\d)?"  # a number; a status code says something
    # a text in quotes of any sort, also one that was cut; an apostrophe within or behind a word is none
    r"|(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|(?<!\w)'(?:[^'\\]|\\.)*'(?!\w))(?:… \([\d,]+ characters\))?"
)
_LISTED = re.compile(r"…(?:, …)*(?:,? and …)?")


def pattern(why: str) -> str:
    """`why` with … in place of ids, numbers and quoted texts."""
    return _LISTED.sub("…", _PARTICULAR.sub("…", why))


def kinds_of(sentences: Iterable[str]) -> Ints:
    """A number for each sentence, the same for those of one `pattern`."""
    numbers: dict[str, int] = {}
    once = cache(pattern)
    return np.array([numbers.setdefault(once(why), len(numbers)) for why in sentences], np.int64)


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of a criterion in their order, a place in each array for each.

    Attributes:
        at_ns: when it was first seen, by the run's monotonic clock, or `UNKNOWN`.
        chat: number of its chat, or `UNKNOWN`.
        kind: the sentences of those with the same number have one `pattern`.
        tell: the finding at a place, in words.
        weight: how many findings each place stands for, where `tell` gives several; None: one.
    """

    at_ns: Ints
    chat: Ints
    kind: Ints
    tell: Callable[[int], Iterator[Finding]]
    weight: Ints | None = None

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Faults":
        """Findings that are few, and made already."""
        made = list(findings)
        chats: dict[str | None, int] = {None: UNKNOWN}
        return cls(
            at_ns=np.array([UNKNOWN if one.at_ns is None else one.at_ns for one in made], np.int64),
            chat=np.array([chats.setdefault(one.chat_id, len(chats)) for one in made], np.int64),
            kind=kinds_of(one.why for one in made),
            tell=lambda place: iter((made[place],)),
        )

    def told(self) -> tuple[tuple[Finding, ...], Found]:
        """Some of the findings, in their order, and what is known of all of them."""
        if not len(self.kind):
            return (), Found()
        weight = np.ones(len(self.kind), np.int64) if self.weight is None else self.weight
        kind, sentences = self._merged(weight)
        size = np.bincount(kind, weights=weight).astype(np.int64)
        _, first = np.unique(kind, return_index=True)
        largest = np.lexsort((first, -size))
        largest = largest[largest < len(sentences)][:MAX_KINDS]
        at_ns, at_count = _times(self.at_ns, weight)
        return self._examples(kind, largest), Found(
            count=int(weight.sum()),
            kinds=len(size),
            largest=tuple(self._kind(sentences[number], kind == number, weight) for number in largest),
            at_ns=at_ns,
            at_count=at_count,
        )

    def _merged(self, weight: Ints) -> tuple[Ints, list[str]]:
        """Of each place the number of its sentence, and the sentences; kinds too small for one come after these."""
        _, first, code = np.unique(self.kind, return_index=True, return_inverse=True)
        size = np.bincount(code, weights=weight)
        largest = np.lexsort((first, -size))[:MAX_SENTENCES]
        sentences: dict[str, int] = {}
        number = np.full(len(first), UNKNOWN, np.int64)
        for one in largest.tolist():
            why = pattern(next(self.tell(int(first[one]))).why)
            number[one] = sentences.setdefault(why, len(sentences))
        rest = number == UNKNOWN
        number[rest] = len(sentences) + np.arange(rest.sum())
        return number[code], list(sentences)

    def _kind(self, why: str, which: NDArray[np.bool_], weight: Ints) -> Kind:
        place = np.flatnonzero(which & (self.chat != UNKNOWN))
        count = int(weight[which].sum())
        if not len(place):
            return Kind(why, count)
        chats, first, of_chat = np.unique(self.chat[place], return_index=True, return_inverse=True)
        in_chat = np.bincount(of_chat, weights=weight[place]).astype(np.int64)
        worst = int(in_chat.argmax())
        named = next(self.tell(int(place[first[worst]]))).chat_id
        return Kind(why, count, len(chats), named, int(in_chat[worst]))

    def _examples(self, kind: Ints, largest: Ints) -> tuple[Finding, ...]:
        """The first of each of the `largest` kinds, and then as many as there is room for, in their order."""
        in_order = np.argsort(kind, kind="stable")
        ranked = kind[in_order]
        nth = np.empty(len(kind), np.int64)
        nth[in_order] = np.arange(len(kind)) - np.searchsorted(ranked, ranked)
        reserved = np.isin(kind, largest) & (nth < OF_EACH_KIND)
        wanted = np.concatenate([np.flatnonzero(reserved), np.flatnonzero(~reserved)])[:MAX_EXAMPLES]
        places = np.sort(wanted).tolist()
        made: list[Finding] = []
        for left, place in zip(range(len(places), 0, -1), places, strict=True):
            made += islice(self.tell(place), MAX_EXAMPLES - len(made) - left + 1)
        return tuple(made)


def from_faults(
    id: str,  # noqa: A002 - the name in verdict.json
    title: str,
    unit: str,
    checked: int,
    faults: Faults,
    *,
    inconclusive: str | None = None,
    facts: dict[str, float | int] | None = None,
) -> Criterion:
    """A criterion whose target is zero findings.

    Args:
        checked: how many things were looked at; 0 makes the criterion inconclusive.
        inconclusive: why the check could not see enough to pass; a finding still fails it.
    """
    examples, found = faults.told()
    if found.count:
        outcome, reason = Verdict.FAIL, inconclusive
    elif inconclusive:
        outcome, reason = Verdict.INCONCLUSIVE, inconclusive
    elif checked == 0:
        outcome, reason = Verdict.INCONCLUSIVE, "There was nothing to check."
    else:
        outcome, reason = Verdict.PASS, None
    return Criterion(
        id=id,
        title=title,
        target="0",
        observed=found.count,
        unit=unit,
        outcome=outcome,
        checked=checked,
        examples=examples,
        found=found,
        reason=reason,
        facts=facts or {},
    )


def _times(at_ns: Ints, weight: Ints) -> tuple[Ints, Ints]:
    """The different times that are known, in order, and how many findings each has."""
    known = at_ns != UNKNOWN
    times, place = np.unique(at_ns[known], return_inverse=True)
    return times, np.bincount(place, weights=weight[known], minlength=len(times)).astype(np.int64)
