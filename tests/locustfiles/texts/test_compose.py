"""Promise: texts are as people write them, of every difficult kind, each one unique, and the same for the same seed."""

import unicodedata
from random import Random
from statistics import median

import pytest

from locustfiles.texts import Texts
from locustfiles.texts.compose import LONGEST
from locustfiles.texts.phrases import KINDS

MANY = 5_000


@pytest.fixture(scope="module")
def texts() -> list[str]:
    composer = Texts(Random(1), "l0")
    return [composer.next() for _ in range(MANY)]


def test_lengths_are_those_of_a_chat(texts: list[str]) -> None:
    lengths = sorted(map(len, texts))
    assert 20 <= median(lengths) <= 80
    assert lengths[0] >= 3
    assert lengths[MANY // 10] < 35, "a tenth are a word or two"
    assert lengths[-MANY // 100] > 250, "one in a hundred is long"
    assert 400 < lengths[-1] <= LONGEST + max(len(phrase) for phrases, _ in KINDS for phrase in phrases) + 20


@pytest.mark.parametrize(
    ("kind", "belongs", "least"),
    [
        ("emoji", lambda char: ord(char) >= 0x1F300, 0.05),
        ("right to left", lambda char: unicodedata.bidirectional(char) in {"R", "AL"}, 0.03),
        ("quotes", lambda char: char in "\"'`„«", 0.03),
        ("newlines", lambda char: char == "\n", 0.02),
        ("carriage returns", lambda char: char == "\r", 0.003),
        ("backslashes", lambda char: char == "\\", 0.01),
        ("combining marks", unicodedata.combining, 0.01),
        ("outside the basic plane", lambda char: ord(char) > 0xFFFF, 0.05),
        ("East Asian", lambda char: unicodedata.east_asian_width(char) == "W" and char.isalpha(), 0.02),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_difficult_kind_is_among_them(texts: list[str], kind: str, belongs, least: float) -> None:
    share = sum(any(belongs(char) for char in text) for text in texts) / MANY
    assert least <= share <= 0.5


def test_none_can_be_mistaken_for_another(texts: list[str]) -> None:
    other = Texts(Random(1), "l1")  # the same choices, in another process
    elsewhere = {other.next() for _ in range(MANY)}
    assert len(set(texts)) == len(elsewhere) == MANY
    assert not elsewhere & set(texts)
    assert len({unicodedata.normalize("NFC", text) for text in texts}) == MANY


def test_an_app_that_trims_or_stores_them_as_utf_8_changes_nothing(texts: list[str]) -> None:
    for text in texts:
        assert text == text.strip()
        assert "\0" not in text
        assert text.encode().decode() == text


def test_the_same_seed_makes_the_same_texts(texts: list[str]) -> None:
    again, other = Texts(Random(1), "l0"), Texts(Random(2), "l0")
    assert [again.next() for _ in range(100)] == texts[:100]
    assert [other.next() for _ in range(100)] != texts[:100]


def test_kinds_are_a_hundred_in_all() -> None:
    assert sum(weight for _, weight in KINDS) == 100
