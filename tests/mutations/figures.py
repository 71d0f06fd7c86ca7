"""Mutations of how outcomes are found and combined, and of the figures of latency."""

from tests.mutations.mutation import of

FIGURES = [
    *of(
        "../faults",
        ("    if found.count:\n", "    if found.count and not inconclusive:\n"),
        ("    elif inconclusive:\n", "    elif inconclusive and checked == 0:\n"),
        ("    elif checked == 0:\n", "    elif checked < 0:\n"),
        ("outcome, reason = Verdict.FAIL, inconclusive", "outcome, reason = Verdict.FAIL, None"),
        ("count=int(weight.sum()),", "count=len(weight),"),
        ("observed=found.count,", "observed=len(examples),"),
    ),
    *of(
        "../criteria",
        ("- {Verdict.INFO}", "- {Verdict.FAIL}"),
        ("    if Verdict.FAIL in outcomes:\n", "    if outcomes == {Verdict.FAIL}:\n"),
        ("if Verdict.INCONCLUSIVE in outcomes or not outcomes:", "if Verdict.INCONCLUSIVE in outcomes:"),
        ("if Verdict.INCONCLUSIVE in outcomes or not outcomes:", "if not outcomes:"),
        ("Verdict.INCONCLUSIVE: 3}", "Verdict.INCONCLUSIVE: 0}"),
    ),
    *of(
        "../latency",
        ("rank = max(1, -(-len(values) * percent // 100))", "rank = max(1, len(values) * percent // 100)"),
        (
            "rank = max(1, -(-len(values) * percent // 100))",
            "rank = min(len(values), -(-len(values) * percent // 100) + 1)",
        ),
        ("np.partition(values, rank - 1)[rank - 1]", "values[rank - 1]"),
        ("- 1]) for p in (50, 95, 99))", "- 1]) for p in (50, 90, 99))"),
        ("int(values.sum()) / (len(values) * NS_PER_MS)", "int(values.sum()) // (len(values) * NS_PER_MS)"),
        ("warm |= of_domain & (left_ns >= end_ns)", "warm |= of_domain & (left_ns > end_ns)"),
        ("int(left_ns[of_domain].min())", "int(left_ns.min())"),
        ("order = np.lexsort((at_ns, key))", "order = np.lexsort((-at_ns, key))"),
        ("!= Outcome.FAIL) & (sent[", "== Outcome.OK) & (sent["),
        ("int((~comparable).sum())", "0"),
    ),
    *of(
        "../latency_criteria",
        ("Verdict.PASS if observed < target_ms else", "Verdict.PASS if observed <= target_ms else"),
        (
            "Verdict.PASS if bad / count <= targets.errors_share",
            "Verdict.PASS if bad / count < targets.errors_share",
        ),
        ("missed = outcomes != Outcome.OK", "missed = outcomes == Outcome.FAIL"),
        ("if bad == 0:", "if False:"),
        ("interval[0] <= target < interval[1]", "interval[0] <= target < interval[0]"),
        ("interval[0] < target_ms <= interval[1]", "interval[0] < target_ms < interval[0]"),
    ),
    *of(
        "../latency_drift",
        (">= np.log(LEAST_LIKELIER)", ">= -1000"),
        (">= np.log(LEAST_LIKELIER)", ">= 1000"),
        ("late = self.times_s >= at_s", "late = self.times_s >= 0"),
        ("*(one for one in significant([rest for rest in rests if rest is not None]) if one.matters),", ""),
    ),
    *of(
        "../statistics/warmup",
        ("steady=not slower", "steady=False"),
        ("steady=True, slower=slower", "steady=True, slower=True"),
    ),
    *of(
        "../shifts",
        ("reach_s = max(NEAR_S, cut.width_s)", "reach_s = NEAR_S"),
        ("self.windows < LEAST_WINDOWS", "self.windows < 0"),
    ),
    *of("../trends", ("self.found.p_value <= CHANCE", "True")),
    *of(
        "../statistics/shape",
        ("count * (1 - alike) / (1 + alike)", "count"),
        ("np.where(apart > STANDS_OUT", "np.where(apart < 0"),
        ("begins = times_s[: len(times_s) - LEAST_SIDE]", "begins = times_s[:1]"),
    ),
    *of(
        "../statistics/windows",
        ("count < PLENTY)", "count < 0)"),
        ("since_ns + latency_ns - 1) // width_ns", "since_ns + latency_ns) // width_ns"),
        ("begin_ns) // width_ns)\n    place", "begin_ns) // width_ns - 1)\n    place"),
        ('>= FEW) | (self.figures["max_ms"]', '>= PLENTY) | (self.figures["max_ms"]'),
        (' | (self.figures["max_ms"] >= self.width_s * 1000)', ""),
    ),
    *of(
        "../minutes",
        ("has_any | (expected >= EXPECTED)", "has_any"),
        ("has_any | (expected >= EXPECTED)", "has_any | (expected >= 0)"),
        ("end_ns = max(end_ns, (int(meant.index.max()) + 1) * NS_PER_S)", "pass"),
        ("begin_ns=first_ns, end_ns=end_ns", "end_ns=end_ns"),
    ),
    *of(
        "../load_changes",
        ("Move(load_at_s + begin_s, load_at_s + end_s", "Move(begin_s, end_s"),
        ("MATTERS * highest", "2 * highest"),
        ("> PAUSE_S) | turned)", "> PAUSE_S))"),
        ("if not came_first and", "if"),
        ("one.at_s < until_s)", "True)"),
    ),
    *of(
        "../demand",
        ('users = users[users.index < at_s["stopping"]]', "pass"),
        ("users = users * np.array([curve.at(second) for second in since_s])", "pass"),
    ),
]
