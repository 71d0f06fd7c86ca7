"""Filters of a `postgres_changes` subscription: `chat_id=eq.42`, `seq=gt.10,status=in.(sent,read)`.

Pure. Parsing follows Supabase Realtime's own grammar and words (lib/extensions/postgres_cdc_rls/subscriptions.ex of
supabase/realtime); whether the column exists and the value fits its type is for the database to say. Of the
operators that Supabase has, `match` and `imatch` (POSIX regular expressions) are left out, and refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

__all__ = ["Comparable", "Filter", "FilterError", "Operand", "comparable", "matches", "parse_filters"]

OPERATORS = ("eq", "neq", "lt", "lte", "gt", "gte", "in", "like", "ilike", "is", "isdistinct")

_NUMBERS = {"int2", "int4", "int8", "oid", "numeric", "float4", "float8"}

Comparable = str | Decimal
# What a filter compares with: several values for `in`, one otherwise.
Operand = Comparable | frozenset[Comparable]


class FilterError(ValueError):
    """A filter that cannot be parsed. The message is Supabase's."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition. `value` is text as the client wrote it; for `in` a PostgreSQL array literal."""

    column: str
    operator: str
    value: str
    negate: bool = False


def parse_filters(text: str) -> list[Filter]:
    """The conditions of a filter; all of them must hold. Blank text is no condition.

    Raises:
        FilterError: with what Supabase puts after "Error parsing `filter` params: ".
    """
    if not text.strip():
        return []
    return [_parse_segment(segment.strip()) for segment in _split_at_commas(text.strip())]


def _split_at_commas(text: str) -> list[str]:
    """Splits at commas that are neither in parentheses nor in a quoted value."""
    segments = [""]
    depth = 0
    quoted = False
    before = ""
    position = 0
    while position < len(text):
        char = text[position]
        if quoted:
            if char == "\\" and position + 1 < len(text):
                char = text[position : position + 2]
            elif char == '"':
                quoted = False
        elif char == '"' and before in (".", "(", ","):
            quoted = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif char == "," and depth == 0:
            segments.append("")
            before = ""
            position += 1
            continue
        segments[-1] += char
        before = char[-1]
        position += len(char)
    return segments


def _parse_segment(segment: str) -> Filter:
    if not segment:
        raise FilterError("filter must not contain empty segments (check for extra commas)")
    column, equals, rest = segment.partition("=")
    if not equals:
        raise FilterError(_inspected(segment))
    negate = rest.startswith("not.")
    rest = rest.removeprefix("not.")
    operator, dot, value = rest.partition(".")
    if not dot:
        raise FilterError(_inspected(rest))
    if operator not in OPERATORS:
        raise FilterError(_inspected(operator, value))
    if operator == "in":
        if len(value) < 2 or value[0] != "(" or value[-1] != ")":
            raise FilterError("`in` filter value must be wrapped by parentheses")
        return Filter(column, operator, "{" + value[1:-1] + "}", negate)
    return Filter(column, operator, _unquoted(value), negate)


def _unquoted(value: str) -> str:
    match = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', value, re.DOTALL)
    return re.sub(r"\\(.)", r"\1", match.group(1), flags=re.DOTALL) if match else value


def _inspected(*parts: str) -> str:
    """A list of texts as Elixir prints it, which is what Supabase shows."""
    return "[" + ", ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts) + "]"


def comparable(type_name: str, text: str) -> Comparable:
    """A value's text, in the form in which values of its type compare.

    Numbers compare as numbers; all else by its canonical text, which for dates, times, UUIDs and (in locale C) text
    is PostgreSQL's own order. Years before Christ and infinite dates are the exception.
    """
    return Decimal(text) if type_name in _NUMBERS else text


_COMPARISONS: dict[str, Callable[[Comparable, Comparable], bool]] = {
    "eq": lambda value, operand: value == operand,
    "neq": lambda value, operand: value != operand,
    "lt": lambda value, operand: value < operand,  # type: ignore[operator]  # both are of one column's type
    "lte": lambda value, operand: value <= operand,  # type: ignore[operator]
    "gt": lambda value, operand: value > operand,  # type: ignore[operator]
    "gte": lambda value, operand: value >= operand,  # type: ignore[operator]
}


def matches(condition: Filter, operand: Operand, type_name: str, row: Mapping[str, str | None]) -> bool:
    """Whether a row fulfils a condition.

    Args:
        operand: the condition's value in canonical text, made `comparable`.
        type_name: of the column.
        row: texts by column name. A column that is missing fulfils nothing, nor does NULL, but for `is` and
            `isdistinct`.
    """
    if condition.column not in row:
        return False
    text = row[condition.column]
    held = _holds(condition.operator, operand, type_name, text)
    return held is not None and held != condition.negate


def _holds(operator: str, operand: Operand, type_name: str, text: str | None) -> bool | None:
    """SQL's three-valued answer: None is unknown."""
    if operator == "is":
        truth = {None: "null", "t": "true", "f": "false"}.get(text, text)
        return truth == operand or (operand == "unknown" and text is None)
    if operator == "isdistinct":
        return text is None or comparable(type_name, text) != operand
    if text is None:
        return None
    value = comparable(type_name, text)
    if isinstance(operand, frozenset):
        return value in operand
    if operator in ("like", "ilike"):
        return _like(str(operand), operator == "ilike").fullmatch(text) is not None
    return _COMPARISONS[operator](value, operand)


def _like(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """LIKE's pattern: % any text, _ any character, backslash escapes."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    translated = ("." if part == "_" else ".*" if part == "%" else re.escape(part[-1]) for part in parts)
    return re.compile("".join(translated), re.DOTALL | (re.IGNORECASE if ignore_case else 0))
