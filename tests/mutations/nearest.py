"""The tests that are the nearest to each file: the first to be asked about a mutation of it."""

TESTS = "tests/analysis"
CHECKS = f"{TESTS}/checks"
OUTSIDERS = "tests/locustfiles/clients/test_outsider.py"


def _of_checks(*names: str) -> tuple[str, ...]:
    return tuple(
        f"{CHECKS}/{'oracles/' if name.startswith('of_') else ''}test_{name.removeprefix('of_')}.py"
        for name in names
    )


def _of_analysis(*names: str) -> tuple[str, ...]:
    return tuple(f"{TESTS}/{name}.py" for name in names)


_MESSAGES = _of_checks(
    "of_messages", "of_messages_found", "for_a_while", "corruption", "texts", "after_the_last_look"
)
_NUMBERS = _of_checks("of_numbering", "numbering", "of_found", "for_a_while", "apps_that_tell_little")
_EVENTS = _of_checks("of_hearing", "of_edges", "stays", "newest", "shut_out", "departures")
_STATUSES = _of_checks("of_statuses", "receipts", "setbacks", "of_clockwork", "late_looks", "of_edges")
_PAGES = _of_checks(
    "of_history", "history", "many_pages", "other_chats_on_pages", "texts_on_pages", "departures"
)
_TRIES = _of_checks("of_access", "access")
_MEMBERS = _of_checks("departures", "stays")
_COMPARISONS = _of_analysis("history/test_comparison")

# File → files of tests; those of its oracle first.
NEAREST: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("messages", "corruption"), _MESSAGES),
    "account": (*_MESSAGES, *_of_checks("completeness", "two_monitors", "apps_that_tell_little")),
    "idempotency": (*_MESSAGES, *_of_checks("repeats")),
    "unsent": _of_checks("unsent", "of_messages"),
    **dict.fromkeys(("sequence", "numbering", "order", "gaps"), _NUMBERS),
    "fleeting": (*_NUMBERS, *_of_checks("phantom", "history")),
    **dict.fromkeys(("realtime", "deliveries", "subscriptions", "owed"), _EVENTS),
    "stays": _of_checks("stays", "of_hearing"),
    **dict.fromkeys(
        ("phantom", "known_values"), _of_checks("phantom", "of_hearing", "events_astray", "departures")
    ),
    "moments": _of_checks("two_machines", "of_edges"),
    "findings": _of_checks("two_machines", "phantom"),
    "clocks": (*_of_analysis("test_clocks"), *_of_checks("of_clockwork", "of_edges", "late_looks")),
    **dict.fromkeys(("status", "receipts", "witnesses", "setbacks", "last_looks"), _STATUSES),
    **dict.fromkeys(("history", "shown"), _PAGES),
    **dict.fromkeys(("access", "proof"), _TRIES),
    "marking": (*_TRIES, *_of_checks("marking")),
    "outsider": (OUTSIDERS,),
    "answers": _of_analysis("monitor/test_answers"),
    "completeness": _of_checks("of_keepers", "completeness", "two_monitors"),
    **dict.fromkeys(("departures", "leavers", "spells", "recipients"), _MEMBERS),
    "newest": _of_checks("newest"),
    "restarts": _of_checks("restarts", "late_looks"),
    "plan": _of_checks("of_plan", "plan"),
    "cut_off": _of_checks("cut_off"),
    "suite": _of_checks(
        "for_a_while", "repeats", "numbering", "phantom", "departures", "completeness", "plants"
    ),
    "judge": (*_of_analysis("test_verdict", "test_latency"), *_of_checks("own_errors", "plan", "plants")),
    "send_errors": _of_checks("of_errors", "own_errors", "cut_off"),
    **dict.fromkeys(("drift", "steady"), _of_checks("drift")),
    "generator": _of_checks("generator", "own_errors", "own_part"),
    **dict.fromkeys(("fared", "why_behind"), _of_checks("generator", "why_behind")),
    **{name: _of_checks(name) for name in ("own_errors", "own_part", "stalls")},
    **{
        name: _of_analysis(f"test_{name}")
        for name in (
            *("criteria", "faults", "latency", "latency_drift", "shape", "shifts"),
            *("trends", "minutes", "load_changes"),
        )
    },
    "latency_criteria": _of_analysis("test_latency_criteria", "test_latency"),
    **dict.fromkeys(("windows", "warmup", "intervals"), _of_analysis("test_statistics")),
    **dict.fromkeys(("variation", "comparison", "figures", "changes"), _COMPARISONS),
    "nights": _of_analysis("history/test_nights"),
    "demand": _of_analysis("test_minutes"),
}
