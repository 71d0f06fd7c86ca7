"""Promise: however many pages are read, each is held against no more messages than it may have to show."""

import numpy as np
import pytest

from analysis.checks import history
from analysis.checks.account import Bools, Ints, account_for
from analysis.checks.moments import MomentsOfRows
from analysis.clocks import Moments
from tests.analysis.checks.pages import READER, SENDER
from tests.analysis.histories import History

SHOWN = 5  # messages on a page


@pytest.mark.parametrize("lacking", [None, 17])
def test_a_page_of_the_newest_is_not_held_against_what_came_later(
    lacking: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    ask = MomentsOfRows.stored_before

    def counted(self: MomentsOfRows, moment: Moments, rows: Ints) -> Bools:
        compared.append(len(rows))
        return ask(self, moment, rows)

    monkeypatch.setattr(MomentsOfRows, "stored_before", counted)
    run, said = History(people=2), []
    chat = run.chat(SENDER, READER)
    for number in range(1, 101):
        said.append(run.send(SENDER, chat, at=float(number), seq=number))
        shown = [one for one in said[-SHOWN:] if one.seq != lacking or number != lacking + 2]
        run.page(READER, chat, number + 0.9, shown[::-1])
    run.poll(110.0)
    for one in said:
        run.observe(one, 110.0)
    run.finish(120.0)
    found = history.pages(account_for(run.evidence()))
    assert [one.seq for one in found.examples] == [lacking] * (lacking is not None)
    assert np.sum(compared) <= SHOWN * len(said)


def test_what_was_stored_before_lower_ones_belongs_on_the_page() -> None:
    run = History(people=2)
    chat = run.chat(SENDER, READER)
    said = [
        run.send(SENDER, chat, at=1.0, seq=seq, took=1.0 if seq in {1, 8} else 20.0) for seq in range(1, 10)
    ]
    run.page(READER, chat, 5.0, [said[0]])
    run.poll(30.0)
    for one in said:
        run.observe(one, 30.0)
    run.finish(40.0)
    assert [one.seq for one in history.pages(account_for(run.evidence())).examples] == [8]
