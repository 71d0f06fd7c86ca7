"""`plan.history`: does the app's history query read by its index, and is it quick?

The monitor explains the query several times on the run's largest chats, after the load. Which plan is right depends on
the table: for a few hundred rows PostgreSQL rightly reads all of them. So a sample that did not read by an index that
leads with (chat_id, seq) is a fault only

* when no such index can serve the query at all: with every other way forbidden, the planner found none; or
* when it read many more rows than the page has, which is what the index is there to spare.

Its time is judged by the nearest-rank median of a chat's samples, so that one hiccup of a busy server fails nobody.
"""

import re
from collections.abc import Iterator
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.criteria import Criterion, Finding, Verdict
from analysis.evidence import Evidence
from analysis.faults import Faults

PART = "history plan"  # in table `left_out`
ROWS_FOR_A_PAGE = 500  # ten times the page; more read without the index is a fault, whatever the time
SERVES = re.compile(r"chat_id(?: DESC)?, seq(?: DESC)?")
OF_THE_GUIDE = "chat_id, seq DESC"
CONFIDENCE = 0.95


def history(evidence: Evidence, target_ms: float) -> Criterion:
    """Judge the samples of the history query.

    Args:
        target_ms: CHATSOAK_TARGET_HISTORY_QUERY_MS; the median of every chat must lie below.
    """
    plans, indexes = evidence.plans, evidence.indexes
    samples = plans[~plans["forced"].to_numpy(np.bool_)]
    timed = samples[samples["execution_ms"].to_numpy() >= 0]
    serving = {
        str(name)
        for name, leads in zip(indexes["name"], indexes["leads"], strict=True)
        if SERVES.fullmatch(str(leads))
    }
    medians = [nearest_rank_median(times) for _, times in timed.groupby("chat_id")["execution_ms"]]
    findings = [*_not_by_index(evidence, samples, serving), *_slow(evidence, timed, target_ms)]
    if findings:
        outcome, reason = Verdict.FAIL, _about_indexes(indexes, serving)
    elif not len(timed):
        outcome, reason = Verdict.INCONCLUSIVE, _why_not(evidence, samples)
    else:
        outcome, reason = Verdict.PASS, _about_indexes(indexes, serving)
    examples, every = Faults.of(findings).told()
    return Criterion(
        id="plan.history",
        title="The history query reads by its index",
        target=f"by index in < {target_ms:g} ms",
        observed=max(medians, default=None),
        unit="ms",
        outcome=outcome,
        checked=len(samples),
        examples=examples,
        found=every,
        reason=reason,
        facts=_facts(timed),
        ci95=median_interval([times for _, times in timed.groupby("chat_id")["execution_ms"]]),
    )


def nearest_rank_median(values: "pd.Series[float]") -> float:
    """The smallest of `values` that at least half of them do not exceed. There is at least one."""
    ranked = np.sort(values.to_numpy(np.float64))
    return float(ranked[-(-len(ranked) // 2) - 1])


def median_interval(chats: "list[pd.Series[float]]") -> tuple[float, float] | None:
    """The 95% interval of the slowest chat's median, from the samples of every chat; None for too few of them.

    Between which ranks a median lies is binomial, whatever the distribution; each chat gets its part of the 5%.
    Source: Hahn and Meeker (1991), Statistical Intervals, on distribution-free intervals.
    """
    ends = []
    for samples in chats:
        count, allowed = len(samples), (1 - CONFIDENCE) / len(chats) / 2
        beyond = np.cumsum([comb(count, rank) for rank in range(count)]) / 2**count
        rank = int((beyond <= allowed).sum())  # so many lie outside at either end
        if rank == 0:
            return None
        ranked = np.sort(samples.to_numpy(np.float64))
        ends.append((float(ranked[rank - 1]), float(ranked[-rank])))
    return (max(low for low, _ in ends), max(high for _, high in ends)) if ends else None


def _not_by_index(evidence: Evidence, samples: pd.DataFrame, serving: set[str]) -> Iterator[Finding]:
    """A finding for each chat whose pages were read in another way though they should not."""
    known = samples[samples["node"].notna()]
    for chat, strays in known[~_by_index(known, serving)].groupby("chat_id"):
        worst = strays.iloc[int(strays["rows_read"].to_numpy().argmax())]
        rows_read = int(worst["rows_read"])
        served = _served(evidence.plans, chat, serving)
        if served and rows_read <= ROWS_FOR_A_PAGE:
            continue
        read = f" and read {rows_read:,} rows for a page of {int(worst['rows']):,}" if rows_read >= 0 else ""
        instead = f" on {worst['index']}" if isinstance(worst["index"], str) else ""
        could = (
            "an index on (chat_id, seq) could have served it"
            if served
            else "no index on (chat_id, seq) can serve it"
        )
        yield _finding(
            evidence,
            worst,
            f"The history query used {worst['node']}{instead}"
            f"{' with a sort' if worst['sorted'] else ''}{read}; {could}.",
        )


def _served(plans: pd.DataFrame, chat: Any, serving: set[str]) -> bool:
    """Whether, with every other way forbidden, the planner reads this chat's page by an index in the page's order."""
    forced = plans[plans["forced"].to_numpy(np.bool_) & (plans["chat_id"] == chat).to_numpy()]
    return bool(_by_index(forced, serving).any())


def _by_index(plans: pd.DataFrame, serving: set[str]) -> NDArray[np.bool_]:
    """Which plans read by one of these indexes, in its order."""
    named = plans["index"].astype(object).isin(serving).to_numpy(np.bool_)
    in_order: NDArray[np.bool_] = named & ~plans["sorted"].to_numpy(np.bool_)
    return in_order


def _slow(evidence: Evidence, timed: pd.DataFrame, target_ms: float) -> Iterator[Finding]:
    for _, of_chat in timed.groupby("chat_id"):
        median_ms = nearest_rank_median(of_chat["execution_ms"])
        if median_ms >= target_ms:
            sample = of_chat.iloc[0]
            by = f" through {sample['node']}" if isinstance(sample["node"], str) else ""
            yield _finding(
                evidence,
                sample,
                f"The history query took {median_ms:,.1f} ms{by}, the median of {len(of_chat)} samples; "
                f"the target is < {target_ms:g} ms.",
            )


def _finding(evidence: Evidence, sample: "pd.Series[Any]", why: str) -> Finding:
    return Finding(why=why, chat_id=evidence.chats.text(sample["chat_id"]), at_ns=int(sample["at_ns"]))


def _about_indexes(indexes: pd.DataFrame, serving: set[str]) -> str | None:
    """What is to be said of the indexes, were they all used or not."""
    known = list(zip(indexes["name"], indexes["leads"], indexes["usable"], strict=True))
    broken = sorted(str(name) for name, leads, usable in known if not usable and SERVES.fullmatch(str(leads)))
    if broken:
        return (
            f"The index {broken[0]} is there and not valid: CREATE INDEX CONCURRENTLY did not end well; "
            "drop it, and create it again."
        )
    if any(leads == OF_THE_GUIDE and usable for _, leads, usable in known):
        return None
    if serving:
        return f"The guide's own index on ({OF_THE_GUIDE}) is missing; {min(serving)} serves in its place, read backwards."
    return f"There is no index on (chat_id, seq): create the guide's, idx_chat_messages_chat_id_seq_desc on ({OF_THE_GUIDE})."


def _why_not(evidence: Evidence, samples: pd.DataFrame) -> str:
    left_out = evidence.left_out
    said = [*left_out.loc[left_out["part"] == PART, "why"], *samples["error"].dropna()]
    return (
        f"The history query could not be explained: {said[0]}."
        if said
        else ("The history query was not explained: the monitor did not come to its end.")
    )


def _facts(timed: pd.DataFrame) -> dict[str, float | int]:
    if not len(timed):
        return {}
    return {
        "chats": int(timed["chat_id"].nunique()),
        "slowest_ms": round(float(timed["execution_ms"].max()), 3),
        "rows_read_at_most": int(timed["rows_read"].max()),
    }
