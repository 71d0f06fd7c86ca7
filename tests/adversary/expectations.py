"""What a verdict must say of a run with faults, and what it says instead. Kept beside the record as JSON.

Equality of sets: every finding must be expected, and whatever is expected must be found, as often as it is expected. What
is expected is a list of alternatives, mostly of one: fields that the finding must have. Of a pair of which a checker may name
either there are two. Only what the truth leaves open, such as a receipt in the last moments, may be named or not.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.record import Run, read_run

FILE = "expected.json"

Fields = Mapping[str, Any]  # of a finding; `at_ns` as the first and the last moment that it may name
Named = list[Fields]  # the alternatives, of which one must be named

LATEST_S = 20  # after the drain: when the last look may have been


def expected(
    name: str,
    chats: Sequence[str] | None,
    breaks: Iterable[str],
    named: Mapping[str, Sequence[Named]],
    may_be_named: Mapping[str, Sequence[Named]] | None = None,
) -> dict[str, Any]:
    """What one fault calls for; its `chats` are those that its findings name, None: any."""
    return {
        "fault": name,
        "chats": None if chats is None else sorted(chats),
        "breaks": sorted(breaks),
        "named": {criterion: list(names) for criterion, names in named.items()},
        "may_be_named": {criterion: list(names) for criterion, names in (may_be_named or {}).items()},
    }


def write(
    folder: Path, criteria: Mapping[str, str], faults: Sequence[Mapping[str, Any]] | None = None
) -> None:
    """Keep beside the record in `folder` the outcomes of criteria, and what is `expected` of the faults."""
    kept = {"criteria": dict(criteria)} | ({"faults": faults} if faults is not None else {})
    (folder / FILE).write_text(json.dumps(kept, indent=1))


def mistakes(
    folder: Path, verdict: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """By fault (or chat without one) what is wrong about the verdict; empty when it is right."""
    run = read_run(folder)
    wrong: dict[str, list[str]] = {}
    said = _findings_by_fault(verdict, faults)
    for fault in faults:
        if found := list(_mistakes(said.pop(fault["fault"], {}), fault)):
            wrong[fault["fault"]] = found
    for chat, findings in said.items():
        wrong[f"chat {chat}, which nobody touched"] = [
            f"{criterion} must not complain: {found[0]['why']}" for criterion, found in findings.items()
        ]
    failed = {one["id"] for one in verdict["criteria"] if one["outcome"] == "fail"}
    breaks = {criterion for fault in faults for criterion in fault["breaks"]}
    if problems := [
        *(f"{criterion} failed without a fault" for criterion in sorted(failed - breaks)),
        *(f"{criterion} did not notice" for criterion in sorted(breaks - failed)),
        *_uncounted(verdict),
        *_out_of_time(run, verdict),
    ]:
        wrong["the run"] = problems
    return wrong


def _findings_by_fault(
    verdict: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, list[Fields]]]:
    """Fault, or chat without one → criterion → its findings there, of the criteria that failed."""
    owner = {chat: fault["fault"] for fault in faults for chat in fault["chats"] or ()}
    anywhere = next((fault["fault"] for fault in faults if fault["chats"] is None), None)
    said: dict[str, dict[str, list[Fields]]] = {}
    for criterion in verdict["criteria"]:
        if criterion["outcome"] == "fail":
            for finding in criterion["examples"]:
                chat = str(finding["chat_id"])
                whose = said.setdefault(owner.get(chat, anywhere or chat), {})
                whose.setdefault(criterion["id"], []).append(finding)
    return said


def _mistakes(found: Mapping[str, Sequence[Fields]], fault: Mapping[str, Any]) -> Iterator[str]:
    for criterion in sorted(set(found) - set(fault["breaks"])):
        yield f"{criterion} must not complain: {found[criterion][0]['why']}"
    for criterion in fault["breaks"]:
        named, findings = fault["named"].get(criterion, []), found.get(criterion, [])
        may = fault["may_be_named"].get(criterion, [])
        if fault["chats"] is not None and not named:
            yield f"{criterion} has nobody to name: the fault never came to act"
        for names in named:
            times, hits = named.count(names), sum(_is_one_of(one, names) for one in findings)
            if not times <= hits <= times + may.count(names):
                yield f"{criterion} names {names} {hits} times, not {times}"
        for finding in findings:
            if not any(_is_one_of(finding, names) for names in [*named, *may]):
                yield f"{criterion} blames somebody else: {finding}"


def _is_one_of(finding: Fields, names: Named) -> bool:
    return any(all(_agrees(finding.get(name), name, wanted) for name, wanted in one.items()) for one in names)


def _agrees(said: Any, name: str, wanted: Any) -> bool:
    if name != "at_ns":
        return bool(said == wanted)
    return said is not None and bool(wanted[0] <= said <= wanted[1])


def _uncounted(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Criteria that count other than they name."""
    for one in verdict["criteria"]:
        if one["outcome"] == "fail" and one["target"] == "0" and one["observed"] != len(one["examples"]):
            yield f"{one['id']} counts {one['observed']} and names {len(one['examples'])}"


def _out_of_time(run: Run, verdict: Mapping[str, Any]) -> Iterator[str]:
    """Findings that were first seen at no time of the run."""
    times_ns = {phase["name"]: phase["at_ns"] for phase in run.phases}
    first_ns, last_ns = times_ns["load"], times_ns["drained"] + LATEST_S * 10**9
    for one in verdict["criteria"]:
        for finding in one["examples"] if one["outcome"] == "fail" else ():
            if not first_ns <= finding.get("at_ns", 0) <= last_ns:
                yield f"{one['id']} was seen at {finding.get('at_ns')}, not in the run: {finding['why']}"
