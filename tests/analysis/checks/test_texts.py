"""Texts that come back changed by what databases, drivers and well-meant code do to them, and texts that only look hard."""

import unicodedata

import pytest

from analysis.criteria import Criterion, Verdict
from tests.analysis.checks.judging import judged
from tests.analysis.histories import History

LONGEST = "x" * 10_000
CHANGED = {
    "put into composed form": ("cafe\u0301", unicodedata.normalize("NFC", "cafe\u0301")),
    "put into decomposed form": ("caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")),
    "compatibility forms replaced": ("\ufb01ne\u00b2", unicodedata.normalize("NFKC", "\ufb01ne\u00b2")),
    "a line break at its end cut off": ("hello\n", "hello"),
    "line breaks of another system": ("a\nb", "a\r\nb"),
    "an emoji lost to a replacement character": ("\U0001f600", "\ufffd"),
    "an emoji as two replacement characters, one a surrogate": ("\U0001f600", "\ufffd\ufffd"),
    "a joined emoji taken apart": ("\U0001f469\u200d\U0001f4bb", "\U0001f469\U0001f4bb"),
    "the last of ten thousand characters cut off": (LONGEST, LONGEST[:-1]),
    "escaped": ("a < b & c", "a &lt; b &amp; c"),
    "letters of another case": ("Straße", "STRASSE"),
    "nothing left": ("hello", ""),
    "an empty text as no text": ("", None),
    "no text": ("hello", None),
}


def corrupted(sent: str, stored: str | None) -> Criterion:
    run = History()
    message = run.send(0, run.chat(0, 1), at=1.0, seq=1, text=sent)
    run.store(message)
    (row,) = run.rows["observations"]
    place = row.index(message.text)
    run.rows["observations"] = [(*row[:place], stored, *row[place + 1 :])]
    run.deliver(message)
    run.finish()
    return judged(run)["messages.corrupted"]


@pytest.mark.parametrize("case", CHANGED)
def test_every_change_of_a_text_is_seen(case: str) -> None:
    criterion = corrupted(*CHANGED[case])
    assert (criterion.outcome, criterion.observed) == (Verdict.FAIL, 1)
    assert "text" in criterion.examples[0].why


@pytest.mark.parametrize("case", CHANGED)
def test_the_same_text_unchanged_is_not_blamed(case: str) -> None:
    text, _ = CHANGED[case]
    criterion = corrupted(text, text)
    assert (criterion.outcome, criterion.checked) == (Verdict.PASS, 1)
