"""Promise: of a statement that goes into a record no literal is left, however it is written and wherever it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.monitor.masking import MOST_CHARACTERS, masked

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select * from t where a = 'it''s' and b = $1", "select * from t where a = ? and b = $1"),
        ("select E'x\\'y', e'z'", "select ?, ?"),
        ("select $$a'b$$, $tag$ $$ $tag$ from t1", "select ?, ? from t1"),
        ("select 1, 12.5e-3, .5, 0x1F, 1_000 from c2", "select ?, ?, ?, ?, ? from c2"),
        ("-- of request 7\nselect /* a /* 'b' */ c */ x", "select x"),
        ('select "col 1" from "t"\n where  x=U&\'d\'', 'select "col 1" from "t" where x=?'),
        ("alter role x password 'hunter2", "alter role x password ?"),
        ("update t set a = 'un\\', b = 'clear", "update t set a = ?…"),
        ("select x /* to the end", "select x"),
        ("", ""),
    ],
)
def test_literals_and_comments_are_gone(statement: str, expected: str) -> None:
    assert masked(statement) == expected


@given(
    st.sampled_from(
        [
            "'{}'",
            "E'{}\\'{}'",
            "$${}$$",
            "$x${}$x$",
            "/* {} */",
            "-- {}\n",
            "'a''{}'",
            "N'{}'",
            "/*/*{}*/{}*/",
            "'\\'{}'",
        ]
    ),
    st.text(st.characters(exclude_characters="'\\$*/-\n", exclude_categories=["Cs"]), max_size=8),
    st.integers(0, 200),
)
def test_nothing_of_a_text_shows_wherever_the_statement_is_cut(form: str, around: str, cut: int) -> None:
    literal = form.replace("{}", around + SECRET + around)
    statement = f"insert into t (a, b) values ({literal}, {literal}) returning x1"
    assert SECRET not in masked(statement)
    assert SECRET not in masked(statement[:cut])


@given(st.text(max_size=2000))
def test_any_text_is_taken_and_stays_one_short_line(statement: str) -> None:
    line = masked(statement)
    assert len(line) <= MOST_CHARACTERS
    assert "\n" not in line
