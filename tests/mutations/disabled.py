"""Each criterion disabled in turn: made to pass, whatever it finds."""

from tests.mutations.copies import ROOT
from tests.mutations.mutation import Mutation

SUITE = "analysis/checks/suite.py"
JUDGE = "analysis/judge.py"
GENERATOR = "analysis/generator.py"

PASSED = (  # an expression, so that one line is enough
    '__import__("dataclasses").replace({}, observed=0, examples=(), '
    'outcome=__import__("analysis.criteria", fromlist=["Verdict"]).Verdict.PASS)'
)
OUTSIDE_THE_SUITE = (
    "latency_criteria.send_criteria(sent, targets, service, meant)[0]",
    "latency_criteria.send_criteria(sent, targets, service, meant)[1]",
    "latency_criteria.delivery_criterion(delivered, across_clocks, targets, meant)",
    "send_errors(evidence, sends, found, targets)",
    "plan.history(evidence, targets.history_query_ms)",
)
HEALTHY = "generator.healthy(load, figures, turned)"


def disabled() -> list[Mutation]:
    """Each criterion but those of drift, made to pass whatever it finds."""
    text = (ROOT / SUITE).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith('        ("') and "lambda: " in line]
    found = []
    for line in lines:
        call = line.partition("lambda: ")[2].removesuffix("),")
        found.append(Mutation(SUITE, f"lambda: {call}),", f"lambda: {PASSED.format(call)}),"))
    average, p95, delivery, errors, history = OUTSIDE_THE_SUITE
    both = "*latency_criteria.send_criteria(sent, targets, service, meant),"
    found += [
        Mutation(JUDGE, both, f"{PASSED.format(average)}, {p95},"),
        Mutation(JUDGE, both, f"{average}, {PASSED.format(p95)},"),
        Mutation(JUDGE, f"{delivery},", f"{PASSED.format(delivery)},"),
        Mutation(JUDGE, f"{errors},", f"{PASSED.format(errors)},"),
        Mutation(JUDGE, f"lambda: {history}", f"lambda: {PASSED.format(history)}"),
        Mutation(GENERATOR, f"lambda: {HEALTHY}", f"lambda: {PASSED.format(HEALTHY)}"),
    ]
    return found
