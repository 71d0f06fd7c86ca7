"""Promise: of a text from outside a reader sees all that is in it, and nothing that shows it obeys it."""

import sys
import unicodedata

import pytest

from analysis.visible import in_a_line, visible

# Of the categories whose characters show nothing or steer the others: those that do show something, or only between others.
SHOWN = {"\t", "\n"} | {chr(code) for code in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2)}
SHOWN |= {
    chr(code) for code in (0x110BD, 0x110CD, *range(0x13430, 0x13440))
}  # numbers, and how hieroglyphs stand


def test_whatever_steers_or_shows_nothing_is_named() -> None:
    hidden = {
        sign
        for sign in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and sign not in SHOWN
    }
    hidden |= set("\u034f\u115f\u1160\u3164\uffa0\ufe00\ufe0e\ufe0f\U000e0100\U000e01ef")
    assert {sign for sign in hidden if visible(f"a{sign}b") != f"a[U+{ord(sign):04X}]b"} == set()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\x00c\nd", "a[U+202E]b[U+0000]c\nd"),
        ("\x1b]0;owned\x07\x1b[2J", "[U+001B]]0;owned[U+0007][U+001B][2J"),
        ("one\r\ntwo\rthree", "one\r\ntwo[U+000D]three"),
        ("half \ud83d", "half [U+D83D]"),
        ("\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4[U+E0067][U+E007F]"),
    ],
    ids=["bidi", "escapes", "line ends", "surrogate", "tags"],
)
def test_it_is_named_where_it_stands(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "a family \U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f3c3\U0001f3ff\u200d\u2640\ufe0f",
        "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "1\ufe0f\u20e3 \u260e\ufe0e",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937",
        "tab\tand\nline",
    ],
    ids=["family", "runner", "heart", "flag", "key and telephone", "Persian", "Hindi", "space"],
)
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ad\u200dmin", "ad[U+200D]min"),
        ("\u200d\U0001f600", "[U+200D]\U0001f600"),
        ("\U0001f600\u200d", "\U0001f600[U+200D]"),
        ("\u2764\ufe0f\ufe0f", "\u2764\ufe0f[U+FE0F]"),
        ("x\ufe0f", "x[U+FE0F]"),
    ],
)
def test_joiners_and_selectors_that_join_and_select_nothing_are_named(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_text_on_one_line_cannot_pass_for_a_line_of_ours() -> None:
    assert in_a_line(" all is lost\n✓ PASS\r\n\u2028\ttrust me ") == "all is lost ✓ PASS [U+2028] trust me"


def test_every_text_can_be_written_once_it_is_visible() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert visible(everything).encode()
