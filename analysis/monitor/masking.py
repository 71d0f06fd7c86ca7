"""Texts of statements without their literals: pure. What somebody wrote or a secret must not get into a record.

pg_stat_activity shows statements as they were sent, messages and passwords included. The server's own normaliser
(pg_stat_statements) knows only statements that came to their end, and is not everywhere. This one goes by PostgreSQL's
lexical rules, and where it cannot be sure what is text and what is not, it leaves out the rest.
Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re

MOST_CHARACTERS = 300  # of a masked statement: enough to recognise it
MASK = "?"
CUT = "…"

# In the order in which they are tried. A literal or comment without an end goes on to the end of the text: the server
# cuts what it shows (track_activity_query_size).
_TOKENS = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\* )
  | (?P<escaped> [eE]'(?:[^'\\]|''|\\.)*(?:'|$) )
  | (?P<text> (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|$) )
  | (?P<name> (?:[uU]&)?"(?:[^"]|"")*(?:"|$) )
  | (?P<dollar> \$(?P<tag>(?:[^\W\d]\w*)?)\$(?:.*?)(?:\$(?P=tag)\$|$) )
  | (?P<parameter> \$\d+ )
  | (?P<word> [^\W\d][\w$]* )
  | (?P<number> (?:\d[\w.]*|\.\d[\w.]*)(?:(?<=[eE])[+-]\d+)? )
  | (?P<space> \s+ )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def masked(statement: str) -> str:
    """`statement` on one line, without comments, its literals as ``?``, and cut where it is long."""
    pieces: list[str] = []
    at = 0
    while at < len(statement):
        token = _TOKENS.match(statement, at)
        assert token is not None  # any character is a token
        kind, text = token.lastgroup, token.group()
        at = token.end()
        if kind == "tag":
            kind = "dollar"
        if text == "/*":
            at = _end_of_comment(statement, at)
            pieces.append(" ")
        elif kind in ("comment", "space"):
            pieces.append(" ")
        elif kind == "text" and "\\" in text:
            # With standard_conforming_strings off the text would go on after \' : nobody knows where it ends.
            pieces += [MASK, CUT]
            break
        elif kind in ("escaped", "text", "dollar", "number"):
            pieces.append(MASK)
        else:
            pieces.append(text)
    line = re.sub(r"\s+", " ", "".join(pieces)).strip()
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + CUT


def _end_of_comment(statement: str, at: int) -> int:
    """Where the comment that began before `at` ends; comments nest."""
    depth = 1
    for mark in re.finditer(r"/\*|\*/", statement[at:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return at + mark.end()
    return len(statement)
