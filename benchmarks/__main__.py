"""All measurements, printed as tables and written to ``benchmarks/results/latest.md`` and ``latest.json``."""

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks import frames, judge_memory, load_memory, sends, statistics
from benchmarks.accuracy import compare
from benchmarks.cores import Cores, machine, write_json
from benchmarks.rounds import Side, table

RESULTS = Path(__file__).resolve().parent / "results"
SENDS = 1_000_000  # of the record that the judge judges
PARTS = ("sends", "frames", "load-memory", "judge-memory", "accuracy", "statistics")


def _rates(title: str, unit: str, sides: list[Side]) -> tuple[str, object]:
    return f"## {title}\n\n{table(sides, unit)}", [asdict(side) for side in sides]


def _load_memory(cores: Cores, log: Path) -> tuple[str, object]:
    courses, buffers_mib = load_memory.run(cores, log), load_memory.fullest_buffers_mib()
    figures = {"courses": [asdict(one) for one in courses], "fullest_buffers_mib": buffers_mib}
    return f"## Memory of a load process\n\n{load_memory.table(courses, buffers_mib)}", figures


def _judge_memory() -> tuple[str, object]:
    found = judge_memory.measure(SENDS)
    return f"## Memory of the judge\n\n{judge_memory.table(found)}", found


def _accuracy(cores: Cores, log: Path) -> tuple[str, object]:
    text, figures = compare.measure(cores, log)
    return f"## How near the figures are to the truth\n\n{text}", figures


def _statistics() -> tuple[str, object]:
    text, figures = statistics.measure()
    return f"## Whether the statistics keep what they promise\n\n{text}", figures


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"which: {', '.join(PARTS)}; none means all")
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := sorted(set(chosen) - set(PARTS)):
        parser.error(f"unknown part: {', '.join(unknown)}; expected some of {', '.join(PARTS)}")
    cores = Cores.choose()
    about = machine(cores)
    texts = ["\n".join(f"- {name}: {value}" for name, value in about.items())]
    figures: dict[str, object] = {"machine": about}
    with tempfile.TemporaryDirectory(prefix="chatsoak-bench-") as folder:
        log = Path(folder) / "log"
        measures = {
            "sends": lambda: _rates("Sends on one core", "sends", sends.run(cores, log)),
            "frames": lambda: _rates("Realtime frames on one core", "frames", frames.run(cores, log)),
            "load-memory": lambda: _load_memory(cores, log),
            "judge-memory": _judge_memory,
            "accuracy": lambda: _accuracy(cores, log),
            "statistics": _statistics,
        }
        for part in PARTS:
            if part not in chosen:
                continue
            print(f"Measuring {part}", file=sys.stderr, flush=True)
            text, figures[part] = measures[part]()
            texts.append(text)
            print(f"\n{text}\n", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.md").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    write_json(RESULTS / "latest.json", figures)
    print(f"Written to {RESULTS / 'latest.md'} and latest.json.", file=sys.stderr)


if __name__ == "__main__":
    main()
