"""What of schema ``public`` the REST interface may name: tables with their columns, functions with their arguments."""

from dataclasses import dataclass

import asyncpg

from staging.database import sql


@dataclass(frozen=True, slots=True)
class Function:
    """A function that can be called: argument name → type, in order."""

    arguments: dict[str, str]
    returns_rows: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """PostgREST's schema cache in small: column name → type, for each table."""

    tables: dict[str, dict[str, str]]
    functions: dict[str, Function]


async def read_catalogue(pool: asyncpg.Pool) -> Catalogue:
    """The catalogue as it is now."""
    tables: dict[str, dict[str, str]] = {}
    for row in await pool.fetch(sql("catalogue_columns")):
        tables.setdefault(row["table_name"], {})[row["column_name"]] = row["type"]
    functions = {
        row["name"]: Function(dict(zip(row["arguments"], row["types"], strict=True)), row["returns_rows"])
        for row in await pool.fetch(sql("catalogue_functions"))
    }
    return Catalogue(tables, functions)


def quoted(name: str) -> str:
    """`name` as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'
