"""Promise: who watches a run is told once when a load process falls behind, once when it has caught up, and never for a moment."""

from analysis.record.standstill import MOST_STILL
from locustfiles.run.strain import WINDOW, Strain


def test_one_bad_second_is_nothing_to_tell() -> None:
    strain = Strain("local")
    stalls = [0.0] * WINDOW + [1.0] + [0.0] * WINDOW
    assert [strain.hear(1.0, still_s, 0.3) for still_s in stalls] == [None] * len(stalls)


def test_the_bound_is_that_of_the_verdict() -> None:
    strain = Strain("local")
    assert [strain.hear(1.0, MOST_STILL, 0.3) for _ in range(2 * WINDOW)] == [None] * 2 * WINDOW
    assert any(strain.hear(1.0, MOST_STILL + 0.01, 0.3) for _ in range(WINDOW))


def test_it_is_told_when_it_begins_and_when_it_ends() -> None:
    told: list[tuple[str, int, str]] = []
    strain = Strain("worker-1")
    strain.tell = lambda *words: told.append(words)
    said = [strain.hear(1.0, still_s, 0.25) for still_s in [0.8] * 10 + [0.0] * 10]
    first, last = (words for words in said if words is not None)
    assert first.startswith("worker-1 cannot keep up: its event loop stood still for 80% of the last 5 s")
    assert "25% of a core" in first
    assert "latencies" not in first, "where the kernel stamps answers they are none too high"
    assert "More than 25% of a whole run makes it inconclusive" in first
    assert "--processes" in first
    assert last.startswith("worker-1 keeps up again, after ")
    assert said.index(first) == WINDOW - 1
    assert [seconds for _, seconds, _ in told] == sorted(seconds for _, seconds, _ in told)
    assert told[0] == ("worker-1", 1, first)
    assert told[-1][2] == last
