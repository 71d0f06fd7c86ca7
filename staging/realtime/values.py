"""Turns the text of a PostgreSQL value into what `to_jsonb` makes of it.

Pure. Types are told apart by their name in `pg_type` (`int8`, `timestamptz`, `_text`); whatever is not named here is
a JSON string, as in PostgreSQL. The text is that of a session with DateStyle ISO and TimeZone UTC.
Composite and range types stay text (`to_jsonb` makes objects of the former); a chat has none.
"""

import re
from collections.abc import Callable
from decimal import Decimal

import orjson

__all__ = ["JsonValue", "array_literal", "json_value"]

# What orjson writes: a Fragment is JSON that is written as it stands.
JsonValue = str | int | float | bool | None | list["JsonValue"] | orjson.Fragment

_NOT_A_NUMBER = re.compile(r"nan|[+-]?inf(inity)?", re.IGNORECASE)


def _number(text: str) -> JsonValue:
    # Digits are kept as they are: numeric has more of them than a float. NaN and infinity have no number in JSON.
    if _NOT_A_NUMBER.fullmatch(text):
        return text
    return orjson.Fragment(format(Decimal(text), "f") if "e" in text else text)


def _boolean(text: str) -> JsonValue:
    return text == "t"


def _json(text: str) -> JsonValue:
    return orjson.Fragment(text)


def _timestamp(text: str) -> JsonValue:
    return text.replace(" ", "T", 1)


def _timestamptz(text: str) -> JsonValue:
    # "2026-11-23 16:00:00.5+00" -> "2026-11-23T16:00:00.5+00:00"; "infinity" has neither part.
    iso = text.replace(" ", "T", 1)
    return iso + ":00" if iso[-3:-2] in ("+", "-") else iso


_BY_TYPE: dict[str, Callable[[str], JsonValue]] = {
    "int2": int,
    "int4": int,
    "int8": int,
    "oid": int,
    "float4": _number,
    "float8": _number,
    "numeric": _number,
    "bool": _boolean,
    "json": _json,
    "jsonb": _json,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
}


def json_value(type_name: str, text: str | None) -> JsonValue:
    """The value for JSON. `type_name`: as in `pg_type.typname`; the array of `text` is `_text`."""
    if text is None:
        return None
    convert = _BY_TYPE.get(type_name)
    if convert is not None:
        return convert(text)
    if type_name.startswith("_"):
        return _array(type_name[1:], text)
    return text


# One element or one structural sign of an array literal: {"a b",NULL,{c}}.
_SIGN = re.compile(r'[{},]|"((?:[^"\\]|\\.)*)"|([^{},"]+)')


def _array(element_type: str, text: str) -> JsonValue:
    # An array that does not start at index 1 says so in front: [0:1]={a,b}
    start = text.index("{")
    stack: list[list[JsonValue]] = [[]]
    for match in _SIGN.finditer(text, start):
        sign = match.group(0)
        if sign == "{":
            inner: list[JsonValue] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif sign == "}":
            stack.pop()
        elif sign != ",":
            quoted, bare = match.group(1), match.group(2)
            if bare == "NULL":
                stack[-1].append(None)
            else:
                element = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
                stack[-1].append(json_value(element_type, element))
    return stack[0][0]


def array_literal(values: list[str]) -> str:
    """The texts as one PostgreSQL array literal, for a parameter that is cast to an array of another type."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"
