"""Promise: a file of SQL is cut where psql would cut it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.target.statements import split

SQL = Path(__file__).resolve().parents[3] / "sql"

INSIDE = st.text("ab;$-/*\n ", max_size=12)
STRINGS = st.one_of(
    INSIDE.map(lambda text: f"'{text}'"),
    INSIDE.map(lambda text: f"'it''s {text}'"),
    INSIDE.map(lambda text: f" E'\\'{text}\\\\'"),
    INSIDE.map(lambda text: f'"{text}"'),
    INSIDE.map(lambda text: f" $tag$ '{text}' $ $$ $tag$"),
    INSIDE.filter(lambda text: "$" not in text).map(lambda text: f" $${text}$$"),
)
COMMENTS = st.one_of(
    INSIDE.map(lambda text: f"--{text.replace(chr(10), ' ')}' \" $$ ;\n"),
    INSIDE.filter(lambda text: "/" not in text and "*" not in text).map(
        lambda text: f"/* {text}' /* ; */ $$ */"
    ),
)
PLAIN = st.one_of(
    st.text("abc ,1$\n", max_size=8).filter(lambda text: text.count("$") < 2),  # two may open a quote
    st.text("a;( ", max_size=6).map(lambda text: f"({text}{')' * text.count('(')})"),
)


@st.composite
def statements(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.one_of(PLAIN, STRINGS, COMMENTS), max_size=8))
    return "select 1 " + " ".join(parts) + " end"


@given(st.lists(statements(), max_size=5))
def test_what_was_put_together_comes_apart_again(wanted: list[str]) -> None:
    assert split(";\n".join(wanted)) == [text.strip() for text in wanted]
    assert split("".join(f"{text};" for text in wanted)) == [text.strip() for text in wanted]


@given(st.text("ab;'\"$-/*eE\\\n ", max_size=40))
def test_any_text_is_cut_without_losing_more_than_semicolons_and_blanks(text: str) -> None:
    rest = text
    for statement in split(text):
        assert statement
        assert statement == statement.strip()
        _, found, rest = rest.partition(statement)
        assert found


@given(st.lists(COMMENTS, max_size=4))
def test_comments_alone_are_no_statement(comments: list[str]) -> None:
    assert split(" ; ".join(comments)) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        (";;", []),
        ("select 1", ["select 1"]),
        ("select $1; select 2", ["select $1", "select 2"]),
        ("select a$b; select $x$;$x$", ["select a$b", "select $x$;$x$"]),
        ("select name'x;' ; s", ["select name'x;'", "s"]),
        ("select e'\\';' ; s", ["select e'\\';'", "s"]),
        ("select '\\'; s", ["select '\\'", "s"]),
        ("/* a /* b; */ c; */ select 1; -- end;", ["/* a /* b; */ c; */ select 1"]),
        ("select 'never closed; s", ["select 'never closed; s"]),
        ("select $$never closed; s", ["select $$never closed; s"]),
        ("select 1 /* never closed; s", ["select 1 /* never closed; s"]),
        ("create rule r as on insert to t do (select 1; select 2); s",
         ["create rule r as on insert to t do (select 1; select 2)", "s"]),
    ],
)  # fmt: skip
def test_the_corners_of_the_syntax(text: str, wanted: list[str]) -> None:
    assert split(text) == wanted


@pytest.mark.parametrize(
    "file", sorted(SQL.rglob("*.sql")), ids=lambda file: file.relative_to(SQL).as_posix()
)
def test_our_own_files_keep_to_what_is_understood(file: Path) -> None:
    """No psql commands and no ``begin atomic`` bodies, which only psql knows how to read."""
    text = file.read_text(encoding="utf-8")
    assert "begin atomic" not in text.lower()
    assert not [line for line in text.splitlines() if line.startswith("\\")]
    assert split(text)
