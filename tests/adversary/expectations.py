"""What a verdict must say of a run with faults, and what it says instead. Kept beside the record as JSON."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.adversary.faults import ChatFault

FILE = "expected.json"


def of(faults: Iterable[ChatFault]) -> dict[str, Any]:
    """By chat: the fault, the criteria that it breaks, and the ids that each of them has to name."""
    return {
        fault.chat: {
            "fault": fault.name(),
            "breaks": sorted(fault.breaks),
            "named": {criterion: sorted(ids) for criterion, ids in fault.named.items()},
        }
        for fault in faults
    }


def write(folder: Path, criteria: Mapping[str, str], chats: Mapping[str, Any] | None = None) -> None:
    """Keep beside the record in `folder` the outcomes of criteria, and what is expected of each chat."""
    kept = {"criteria": dict(criteria)} | ({"chats": chats} if chats is not None else {})
    (folder / FILE).write_text(json.dumps(kept, indent=1))


def mistakes(verdict: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, list[str]]:
    """By fault (or chat without one) what is wrong about the verdict; empty when it is right."""
    said = findings_by_chat(verdict)
    wrong: dict[str, list[str]] = {}
    for chat in said.keys() | expected.keys():
        meant = expected.get(chat, {"fault": f"chat {chat}, which nobody touched", "breaks": [], "named": {}})
        if found := list(_mistakes(said.get(chat, {}), meant)):
            wrong[meant["fault"]] = found
    failed = {one["id"] for one in verdict["criteria"] if one["outcome"] == "fail"}
    if more := failed - {criterion for meant in expected.values() for criterion in meant["breaks"]}:
        wrong["the run"] = [f"failed without a fault: {sorted(more)}"]
    return wrong


def findings_by_chat(verdict: Mapping[str, Any]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Chat → criterion → its findings there, of the criteria that failed."""
    said: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for criterion in verdict["criteria"]:
        if criterion["outcome"] == "fail":
            for finding in criterion["examples"]:
                by_criterion = said.setdefault(finding["chat_id"], {})
                by_criterion.setdefault(criterion["id"], []).append(finding)
    return said


def _mistakes(found: Mapping[str, list[dict[str, Any]]], meant: Mapping[str, Any]) -> Iterable[str]:
    for criterion in sorted(set(meant["breaks"]) - set(found)):
        yield f"{criterion} did not notice"
    for criterion in sorted(set(found) - set(meant["breaks"])):
        yield f"{criterion} must not complain: {found[criterion][0]['why']}"
    for criterion, ids in meant["named"].items():
        named: set[str] = set()
        for finding in found.get(criterion, []):
            names = {
                finding.get("message_id"),
                finding.get("client_generated_id"),
                f"seq {finding.get('seq')}",
            }
            if not names & set(ids):
                yield f"{criterion} blames somebody else: {finding}"
            named |= names & set(ids)
        # Of a pair that changed places it is enough to name one.
        if found.get(criterion) and not named:
            yield f"{criterion} names nobody of {ids}"
