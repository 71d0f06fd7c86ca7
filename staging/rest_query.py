"""PostgREST's query strings, turned into SQL. Pure: text in, text and parameters out.

The subset that a chat needs: ``select``, the filters below with ``not.``, ``order``, ``limit``, ``offset``. Names are
checked against the catalogue and quoted; values are parameters, cast to their column's type by PostgreSQL.
Source: https://docs.postgrest.org/en/stable/references/api/tables_views.html
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from staging.catalogue import quoted

RESERVED = frozenset({"select", "order", "limit", "offset", "on_conflict", "columns", "apikey"})
COMPARISONS = {
    "eq": "=",
    "neq": "<>",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "like": "like",
    "ilike": "ilike",
}
IS = {"null": "null", "true": "true", "false": "false", "unknown": "unknown", "not_null": "not null"}


class RestError(Exception):
    """An answer in PostgREST's shape."""

    def __init__(
        self, status: int, code: str, message: str, details: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "details": details, "hint": hint, "message": message}


@dataclass(slots=True)
class Query:
    """A request's query string, checked.

    Attributes:
        columns: what to give back, as SQL.
        where, tail: clauses, as SQL, or empty.
        parameters: texts, for ``$1`` and on.
    """

    columns: str
    where: str = ""
    tail: str = ""
    on_conflict: str = ""
    parameters: list[object] = field(default_factory=list)


def parse(table: str, columns: dict[str, str], items: Iterable[tuple[str, str]], first: int = 1) -> Query:
    """Read a query string on `table`; `first` is the number of its first parameter.

    Raises:
        RestError: an unknown column or operator, or a limit that is no number.
    """
    query = Query(columns=f"{quoted(table)}.*")
    conditions: list[str] = []
    order, bounds = "", ""
    for name, value in items:
        if name == "select":
            query.columns = _select(table, columns, value)
        elif name == "order":
            order = " order by " + ", ".join(_order(table, columns, part) for part in value.split(","))
        elif name in ("limit", "offset"):
            bounds += f" {name} {_number(value)}"
        elif name == "on_conflict":
            query.on_conflict = ", ".join(quoted(_known(table, columns, part)) for part in value.split(","))
        elif name not in RESERVED:
            conditions.append(_condition(table, columns, name, value, query.parameters, first))
    query.where = " where " + " and ".join(conditions) if conditions else ""
    query.tail = order + bounds
    return query


def _select(table: str, columns: dict[str, str], text: str) -> str:
    if text.strip() in ("", "*"):
        return f"{quoted(table)}.*"
    parts = []
    for part in text.split(","):
        alias, colon, name = part.strip().partition(":")
        if name.strip() == "*" or part.strip() == "*":
            parts.append(f"{quoted(table)}.*")
        elif colon:
            parts.append(f"{_column(table, columns, name.strip())} as {quoted(alias.strip())}")
        else:
            parts.append(_column(table, columns, alias))
    return ", ".join(parts)


def _order(table: str, columns: dict[str, str], text: str) -> str:
    name, *words = text.split(".")
    known = {"asc": " asc", "desc": " desc", "nullsfirst": " nulls first", "nullslast": " nulls last"}
    if any(word not in known for word in words):
        raise RestError(400, "PGRST100", f'"failed to parse order ({text})" (line 1, column 1)')
    return _column(table, columns, name) + "".join(known[word] for word in words)


def _condition(
    table: str, columns: dict[str, str], name: str, text: str, parameters: list[object], first: int
) -> str:
    column = _column(table, columns, name)
    kind = columns[name]
    negated = text.startswith("not.")
    operator, dot, value = text.removeprefix("not.").partition(".")
    if not dot:
        raise RestError(400, "PGRST100", f'"failed to parse filter ({text})" (line 1, column 1)')

    def parameter(value: str) -> str:
        parameters.append(value)
        return f"(${first + len(parameters) - 1}::text)::{kind}"

    if operator in COMPARISONS:
        if operator in ("like", "ilike"):
            value = value.replace("*", "%")
        condition = f"{column} {COMPARISONS[operator]} {parameter(value)}"
    elif operator == "is" and value in IS:
        condition = f"{column} is {IS[value]}"
    elif operator == "in" and value.startswith("(") and value.endswith(")"):
        values = [part.strip().strip('"') for part in value[1:-1].split(",") if part.strip()]
        condition = f"{column} in ({', '.join(parameter(part) for part in values)})" if values else "false"
    else:
        raise RestError(400, "PGRST100", f'"failed to parse filter ({text})" (line 1, column 1)')
    return f"not ({condition})" if negated else condition


def _column(table: str, columns: dict[str, str], name: str) -> str:
    """Qualified, because an update reads a second table with the same column names."""
    return f"{quoted(table)}.{quoted(_known(table, columns, name))}"


def _known(table: str, columns: dict[str, str], name: str) -> str:
    if name not in columns:
        raise RestError(400, "42703", f"column {table}.{name} does not exist")
    return name


def _number(text: str) -> str:
    if not text.isascii() or not text.isdecimal():
        raise RestError(400, "22P02", f'invalid input syntax for type integer: "{text}"')
    return text
