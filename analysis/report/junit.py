"""``junit.xml``: the verdict for CI systems, a test case for each criterion.

A criterion that fails is a failure with its first findings. One that is inconclusive is an *error*: skipped
tests count as success in most CI systems, and inconclusive is never a pass. Skipped is what decides nothing: a drift in a run that is too
short for one. What is worth knowing of the whole run stands in the suite's output.
"""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from analysis.criteria import Verdict
from analysis.report import numbers
from analysis.visible import visible

FINDINGS_SHOWN = 50

# What XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(verdict: Mapping[str, Any], duration_s: float) -> str:
    """The XML of `verdict`.

    Args:
        duration_s: how long the run took, in seconds.
    """
    criteria = verdict["criteria"]
    cut_off = verdict["ended_at"] is None
    counts: dict[str, Any] = {
        "tests": str(len(criteria) + cut_off),
        "failures": str(sum(entry["outcome"] == Verdict.FAIL for entry in criteria)),
        "errors": str(sum(entry["outcome"] == Verdict.INCONCLUSIVE for entry in criteria) + cut_off),
    }
    root = ElementTree.Element("testsuites", name="chatsoak", **counts, time=f"{duration_s:.3f}")
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=_legal(f"chatsoak {verdict['run_id']}"),
        **counts,
        skipped=str(sum(entry["outcome"] == Verdict.INFO for entry in criteria)),
        time=f"{duration_s:.3f}",
        timestamp=(verdict["started_at"] or "").removesuffix("Z"),
        hostname=_legal(verdict["target"]["host"]),
    )
    for entry in criteria:
        _case(suite, entry)
    if cut_off:
        case = ElementTree.SubElement(suite, "testcase", classname="chatsoak.run", name="run.ended", time="0")
        ElementTree.SubElement(
            case, "error", message="The run was cut off before its end.", type="inconclusive"
        )
    if verdict["notes"]:
        ElementTree.SubElement(suite, "system-out").text = _legal("\n".join(verdict["notes"]))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, entry: Mapping[str, Any]) -> None:
    group = entry["id"].rpartition(".")[0]
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"chatsoak.{group}",
        name=f"{entry['id']}: {_legal(entry['title'])}",
        time="0",
    )
    said = f"observed {numbers.observed(entry)}, target {entry['target']}, {entry['checked']:,} checked"
    if entry["outcome"] == Verdict.FAIL:
        failure = ElementTree.SubElement(case, "failure", message=_legal(said), type="fail")
        failure.text = _legal("\n".join(_findings(entry)) or said)
    elif entry["outcome"] == Verdict.INCONCLUSIVE:
        reason = entry["reason"] or said
        error = ElementTree.SubElement(case, "error", message=_legal(reason), type="inconclusive")
        error.text = _legal(said)
    elif entry["outcome"] == Verdict.INFO:
        ElementTree.SubElement(case, "skipped", message=_legal(entry["reason"] or said))
    else:
        ElementTree.SubElement(case, "system-out").text = _legal(said)


def _findings(entry: Mapping[str, Any]) -> list[str]:
    lines = [
        f"chat {example['chat_id']} seq {example['seq']} message {example['message_id']}: {example['why']}"
        for example in entry["examples"][:FINDINGS_SHOWN]
    ]
    if len(entry["examples"]) > FINDINGS_SHOWN:
        lines.append(f"… {numbers.in_all(entry)}")
    return lines


def _legal(text: str) -> str:
    """`text` without the characters that make XML unreadable or mislead its reader."""
    return _FORBIDDEN.sub("\ufffd", visible(text))
