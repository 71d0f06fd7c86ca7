"""Splits a file of SQL into its statements, as psql does: pure, text in, texts out.

Semicolons end a statement, except inside '…' and "…", E'…', $tag$…$tag$, comments, and ``begin atomic`` bodies,
which our files do not use.
Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<line>--[^\n]*)
  | (?P<block>/\*)
  | (?P<escaped>(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*')
  | (?P<string>'(?:[^']|'')*')
  | (?P<name>"(?:[^"]|"")*")
  | (?P<dollar>(?<![\w$])\$(?:[A-Za-z_\x80-\U0010ffff][\w]*)?\$)
  | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


def split(text: str) -> list[str]:
    """The statements of `text`, without the final semicolon; what is only comments is left out."""
    return list(_statements(text))


def _statements(text: str) -> Iterator[str]:
    start = at = 0
    bare: list[str] = []  # the statement without comments, to see whether there is one
    while match := _TOKEN.search(text, at):
        bare.append(text[at : match.start()])
        at = match.end()
        kind = match.lastgroup
        if kind == "block":
            at = _after_block(text, at)
        elif kind == "dollar":
            closing = text.find(match.group(), at)
            at = len(text) if closing < 0 else closing + len(match.group())
            bare.append("$")
        elif kind == "end":
            if "".join(bare).strip():
                yield text[start : match.start()].strip()
            start, bare = at, []
        elif kind != "line":
            bare.append(match.group())
    bare.append(text[at:])
    if "".join(bare).strip():
        yield text[start:].strip()


def _after_block(text: str, at: int) -> int:
    """Block comments nest in PostgreSQL."""
    depth = 1
    while depth and (edge := _BLOCK_EDGE.search(text, at)):
        depth += 1 if edge.group() == "/*" else -1
        at = edge.end()
    return at if depth == 0 else len(text)
