"""Promise: what is compared between two runs are the sends that the verdict of each is about."""

from pathlib import Path

from analysis.history.sends import read_sends
from analysis.judge import judge_run
from tests.analysis.histories import History


def test_the_same_warm_up_is_left_out_as_by_the_judge(tmp_path: Path) -> None:
    """Users arrive for a minute and a half, and for two minutes everything takes longer."""
    history = History()
    chat = history.chat(0, 1)
    for number in range(2000):
        took = 0.2 if number < 120 else 0.05 + number % 7 / 1000
        history.send(0, chat, at=float(number), took=took, seq=number + 1)
        history.fare(number, users=min(20, 1 + number // 5))
    history.finish()
    folder = history.write(tmp_path / "run")
    criteria = {one["id"]: one for one in judge_run(folder, lambda _: None).verdict["criteria"]}
    average = criteria["latency.send.avg"]
    assert 100 < average["facts"]["warmup_s"] < 150
    sent = read_sends(folder)
    assert sent.judged.sum() == average["checked"]
    assert sent.latency_ns[sent.judged].mean() / 1e6 == average["observed"]
