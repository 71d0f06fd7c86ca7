"""Values as JSON: what is said of them by to_jsonb of a real PostgreSQL."""

import asyncio
import json

import asyncpg
import orjson
import pytest

from staging.realtime.values import array_literal, json_value
from tests.staging.stages import RunningStage

# A type's name in pg_type, and a literal of it.
LITERALS = [
    ("int8", "9223372036854775807"),
    ("int2", "-1"),
    ("numeric", "12345678901234567890.000000001"),
    ("numeric", "NaN"),
    ("float8", "1e+20"),
    ("float8", "-Infinity"),
    ("bool", "t"),
    ("bool", "false"),
    ("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
    ("text", 'tab\t "quoted" \\ \n 👋 שלום'),
    ("varchar", ""),
    ("timestamptz", "2026-11-23 16:00:00.120+02"),
    ("timestamptz", "infinity"),
    ("timestamp", "2026-11-23 16:00:00"),
    ("date", "2026-11-23"),
    ("jsonb", '{"a": [1, 2.50, null, "x"]}'),
    ("json", "[true, {}]"),
    ("bytea", "\\x00ff"),
    ("_text", '{a,"b c","NULL",NULL,"q\\"u\\\\o","",x}'),
    ("_text", "{}"),
    ("_text", "[0:1]={a,b}"),
    ("_int4", "{{1,2},{3,NULL}}"),
    ("_bool", "{t,f}"),
    ("_timestamptz", '{"2026-11-23 16:00:00+00"}'),
]


@pytest.fixture(scope="module")
def told(stage: RunningStage) -> list[tuple[str, str]]:
    """For each literal: the value as replication writes it, and as to_jsonb does."""

    async def ask() -> list[tuple[str, str]]:
        connection = await asyncpg.connect(stage.database_url, server_settings={"timezone": "UTC"})
        try:
            return [
                (
                    await connection.fetchval(f"select format('%s', $1::text::{kind})", literal),
                    await connection.fetchval(f"select to_jsonb($1::text::{kind})::text", literal),
                )
                for kind, literal in LITERALS
            ]
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("number", range(len(LITERALS)), ids=lambda number: " ".join(LITERALS[number]))
def test_a_value_is_what_to_jsonb_makes_of_it(number: int, told: list[tuple[str, str]]) -> None:
    kind, _ = LITERALS[number]
    written, expected = told[number]
    assert json.loads(orjson.dumps(json_value(kind, written)), parse_float=str) == json.loads(
        expected, parse_float=str
    )


def test_null_is_null() -> None:
    assert json_value("int8", None) is None


def test_an_array_literal_keeps_its_texts() -> None:
    texts = ["plain", 'with "quotes"', "back\\slash", "a,b", "{}", "", "NULL"]
    assert json_value("_text", array_literal(texts)) == texts
