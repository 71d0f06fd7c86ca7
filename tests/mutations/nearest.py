"""The tests that are the nearest to each file: the first to be asked about a mutation of it."""

TESTS = "tests/analysis"
CHECKS = f"{TESTS}/checks"
NEAREST = {
    **dict.fromkeys(
        ("messages", "corruption", "idempotency", "account"), f"{CHECKS}/oracles/test_messages.py"
    ),
    **dict.fromkeys(
        ("sequence", "numbering", "order", "gaps", "fleeting"), f"{CHECKS}/oracles/test_numbering.py"
    ),
    **dict.fromkeys(("realtime", "deliveries", "subscriptions", "owed"), f"{CHECKS}/oracles/test_hearing.py"),
    "stays": f"{CHECKS}/test_stays.py",
    **dict.fromkeys(("phantom", "known_values"), f"{CHECKS}/test_phantom.py"),
    **dict.fromkeys(("moments", "findings"), f"{CHECKS}/test_two_machines.py"),
    **dict.fromkeys(
        ("status", "receipts", "witnesses", "setbacks", "last_looks"), f"{CHECKS}/oracles/test_statuses.py"
    ),
    "unsent": f"{CHECKS}/test_unsent.py",
    "answers": f"{TESTS}/monitor/test_answers.py",
    "completeness": f"{CHECKS}/oracles/test_keepers.py",
    **dict.fromkeys(("history", "shown"), f"{CHECKS}/oracles/test_history.py"),
    **dict.fromkeys(("access", "marking", "proof"), f"{CHECKS}/oracles/test_access.py"),
    "outsider": "tests/locustfiles/clients/test_outsider.py",
    "drift": f"{CHECKS}/test_drift.py",
    **dict.fromkeys(("generator", "fared"), f"{CHECKS}/test_generator.py"),
    "own_errors": f"{CHECKS}/test_own_errors.py",
    "own_part": f"{CHECKS}/test_own_part.py",
    "why_behind": f"{CHECKS}/test_why_behind.py",
    "stalls": f"{CHECKS}/test_stalls.py",
    "plan": f"{CHECKS}/oracles/test_plan.py",
    "send_errors": f"{CHECKS}/oracles/test_errors.py",
    "restarts": f"{CHECKS}/test_restarts.py",
    **dict.fromkeys(("departures", "leavers", "spells", "recipients"), f"{CHECKS}/test_departures.py"),
    "newest": f"{CHECKS}/test_newest.py",
    "steady": f"{CHECKS}/test_drift.py",
    "criteria": f"{TESTS}/test_criteria.py",
    "faults": f"{TESTS}/test_faults.py",
    "latency": f"{TESTS}/test_latency.py",
    "latency_criteria": f"{TESTS}/test_latency_criteria.py",
    **dict.fromkeys(("windows", "warmup", "intervals"), f"{TESTS}/test_statistics.py"),
    **dict.fromkeys(("variation", "comparison", "figures", "changes"), f"{TESTS}/history/test_comparison.py"),
    "nights": f"{TESTS}/history/test_nights.py",
    "latency_drift": f"{TESTS}/test_latency_drift.py",
    "shape": f"{TESTS}/test_shape.py",
    "shifts": f"{TESTS}/test_shifts.py",
    "trends": f"{TESTS}/test_trends.py",
    "minutes": f"{TESTS}/test_minutes.py",
    "load_changes": f"{TESTS}/test_load_changes.py",
    "demand": f"{TESTS}/test_minutes.py",
    "clocks": f"{TESTS}/test_clocks.py",
}
