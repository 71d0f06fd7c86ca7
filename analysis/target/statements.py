"""Splits a file of SQL into its statements, as psql does: pure, text in, texts out.

Semicolons end a statement, except inside (…), '…' and "…", E'…', $tag$…$tag$ and comments. What is opened and
never closed goes on to the end of the text. ``begin atomic`` bodies are not understood; our files have none.
Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<line>--[^\n]*)
  | (?P<block>/\*)
  | (?P<escaped>(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*(?:'|\\?\Z))
  | (?P<string>'(?:[^']|'')*(?:'|\Z))
  | (?P<name>"(?:[^"]|"")*(?:"|\Z))
  | (?P<dollar>(?<![\w$])\$(?:[A-Za-z_\x80-\U0010ffff][\w]*)?\$)
  | (?P<open>\()
  | (?P<close>\))
  | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


def split(text: str) -> list[str]:
    """The statements of `text`, without the final semicolon; what is only comments is left out."""
    return list(_statements(text))


def _statements(text: str) -> Iterator[str]:
    start = at = depth = 0
    says_something = False  # whether the statement has anything but comments and blanks
    while match := _TOKEN.search(text, at):
        says_something = says_something or bool(text[at : match.start()].strip())
        at = match.end()
        kind = match.lastgroup
        if kind == "end" and depth <= 0:
            if says_something:
                yield text[start : match.start()].strip()
            start, depth, says_something = at, 0, False
        elif kind == "block":
            at = _after_block(text, at)
        elif kind != "line":
            says_something = True
            depth += (kind == "open") - (kind == "close")
            if kind == "dollar":
                closing = text.find(match.group(), at)
                at = len(text) if closing < 0 else closing + len(match.group())
    if says_something or text[at:].strip():
        yield text[start:].strip()


def _after_block(text: str, at: int) -> int:
    """Block comments nest in PostgreSQL."""
    depth = 1
    while depth and (edge := _BLOCK_EDGE.search(text, at)):
        depth += 1 if edge.group() == "/*" else -1
        at = edge.end()
    return at if depth == 0 else len(text)
