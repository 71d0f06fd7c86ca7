"""Promise: the first screen says how sure the answer is, and what it leaves open."""

from typing import Any

from analysis.report.headline import certainty, faults, notes, tiles, why


def verdict(**p95: Any) -> dict[str, Any]:
    entry = {"id": "latency.send.p95", "title": "P95 of send latency", "target": "< 500 ms", "unit": "ms"}
    entry |= {"ci95": (208.0, 217.9), "outcome": "pass", "facts": {"warmup_s": 40.0}} | p95
    return {
        "counts": {"sends": 0},
        "criteria": [entry],
        "steps": [],
        "notes": [],
        "ended_at": "2026-09-01T02:00:00Z",
    }


def test_what_happened_to_the_run_is_told_first_and_much_of_it_is_counted() -> None:
    told = [f"{number}." for number in range(1, 1203)]
    assert notes(verdict() | {"notes": told[:3]}) == told[:3]
    assert notes(verdict() | {"notes": ["!" * 5000]}) == ["!" * 300 + "…"]
    assert notes(verdict() | {"notes": told}) == [
        *told[:3],
        "And 1,199 more notes: see verdict.json.",
    ]


def test_an_interval_is_told_with_its_confidence() -> None:
    assert certainty(verdict()) == ["With 95% confidence the true P95 lies between 208.0 and 217.9 ms."]


def test_a_warmup_that_misses_the_target_by_itself_is_told() -> None:
    said = certainty(verdict(facts={"warmup_s": 40.0, "left_out_ms": 2013.4}, outcome="inconclusive"))
    assert (
        "The first 40.0 s are left out as warm-up, and miss the target by themselves: P95 2,013 ms." in said
    )


def test_a_short_run_claims_no_confidence() -> None:
    [said] = certainty(verdict(facts={"warmup_s": 0.0, "short_run": 1}))
    assert "too short to say" in said
    assert said.endswith("the true P95 between 208.0 and 217.9 ms, or further off.")
    assert "confidence" not in said


def test_a_run_whose_level_moved_or_with_too_few_values_claims_no_confidence() -> None:
    for fact, told in (
        ("level_moved", "The level moved"),
        ("steps", "The level moved"),
        ("too_few", "Too little"),
    ):
        [said] = certainty(verdict(facts={"warmup_s": 0.0, fact: 1}))
        assert said.startswith(told)
        assert "With 95% confidence" not in said


def test_a_criterion_that_could_not_be_judged_is_not_told_as_if_it_held() -> None:
    of = verdict(outcome="inconclusive", title="The load generator kept up", reason="It used 90% of a core.")
    of |= {"outcome": "inconclusive", "ended_at": "2026-09-01T02:00:00Z"}
    assert why(of) == ["Not certain: “The load generator kept up”. It used 90% of a core."]


def test_what_was_not_judged_is_named_by_its_title_as_no_claim_of_ours() -> None:
    said = certainty(verdict(outcome="info", title="No message is lost", ci95=None))
    assert said == ["Not judged: “No message is lost”."]


def test_a_figure_that_is_the_generators_own_for_the_most_part_is_not_told_without_a_warning() -> None:
    doubted: dict[str, Any] = {
        "outcome": "fail",
        "observed": 1340.0,
        "facts": {"without_generator_ms": 600.0},
    }
    of = verdict(**doubted) | {"outcome": "fail"}
    of["counts"] = {"sends": 0, "stored": 0, "ok": 0, "deliveries": 0, "deliveries_expected": 0}
    assert certainty(of) == [
        "Not to be believed for the load generator's own delay: P95 1,340 ms, without it 600.0 ms."
    ]
    assert why(of) == [
        "P95 of send latency: 1,340 ms, target < 500 ms; without the load generator's own delay 600.0 ms."
    ]
    assert tiles(of)[0].sure == "not to be believed: without the load generator's own delay 600.0 ms"


def test_faults_of_kinds_that_have_no_name_here_are_counted_too() -> None:
    def found(checked: int = 100, **observed: int) -> str | None:
        criteria = [
            {
                "id": name.replace("_", "."),
                "target": "0",
                "checked": checked if name == "messages_lost" else 100,
                "observed": count,
            }
            for name, count in observed.items()
        ]
        return faults({"criteria": criteria})

    assert found(messages_lost=14, idempotency_retries=1, access_denied=2) == (
        "Found 14 lost messages and 3 faults of other kinds."
    )
    assert found(messages_lost=14, idempotency_retries=0) == "Found 14 lost messages."
    assert found(messages_lost=0, access_denied=1) == "No lost message, but 1 fault of other kinds."
    assert found(messages_lost=0, access_denied=0) == "No lost message."
    assert found(checked=0, messages_lost=0, access_denied=5) == "Found 5 faults of other kinds."
    assert found(checked=0, messages_lost=0, access_denied=0) is None
