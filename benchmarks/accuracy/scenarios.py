"""What the calibrated server does in each run, and how hard it is driven."""

from dataclasses import dataclass

from benchmarks.accuracy.latencies import Bimodal, Constant, Drift, Latency, LogNormal, Pareto, Stall

RATE_PER_S = 1000
STALL_RATE_PER_S = 400  # so that what the stall held up fits into the in-flight bound of every side
EDGE_RATE_PER_S = 200
SHORT_S = 20
LONG_S = 60
FULL_SHARE = 0.7  # of what the generator can do


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run of the server. `rate_per_s` None = `FULL_SHARE` of the most that the generator manages."""

    name: str
    latency: Latency
    rate_per_s: float | None
    run_s: int


STALL = Stall(ms=20, begins_s=20, for_s=2)

BESIDE_PEERS = (
    Scenario("constant 20 ms", Constant(20), RATE_PER_S, SHORT_S),
    Scenario("bimodal: 10 ms, one in ten 120 ms", Bimodal(10, 120, 0.1), RATE_PER_S, SHORT_S),
    Scenario("log-normal: median 20 ms, σ 0.6", LogNormal(20, 0.6), RATE_PER_S, SHORT_S),
    Scenario("Pareto tail: from 10 ms, α 2.5", Pareto(10, 2.5), RATE_PER_S, SHORT_S),
    Scenario("drift: 20 ms, +50% in the run", Drift(20, 0.5, LONG_S), RATE_PER_S, LONG_S),
    Scenario("20 ms, and a stall of 2 s", STALL, STALL_RATE_PER_S, LONG_S),
)

AT_FULL_SHARE = (
    Scenario("constant 20 ms", Constant(20), None, SHORT_S),
    Scenario("log-normal: median 20 ms, σ 0.6", LogNormal(20, 0.6), None, SHORT_S),
    Scenario("Pareto tail: from 10 ms, α 2.5", Pareto(10, 2.5), None, SHORT_S),
)

EDGES = (
    Scenario("average 299 ms", Constant(299), EDGE_RATE_PER_S, SHORT_S),
    Scenario("average 301 ms", Constant(301), EDGE_RATE_PER_S, SHORT_S),
    Scenario("P95 499 ms", Bimodal(100, 499, 0.1), EDGE_RATE_PER_S, SHORT_S),
    Scenario("P95 501 ms", Bimodal(100, 501, 0.1), EDGE_RATE_PER_S, SHORT_S),
)
