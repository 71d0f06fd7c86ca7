"""Supabase REST: what the chat needs of PostgREST, each request in one transaction under the caller's rights.

Errors have PostgREST's bodies and status codes.
Source: https://docs.postgrest.org/en/stable/references/errors.html
"""

import uuid
from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from staging import misdeeds
from staging.callers import claims_of
from staging.catalogue import Catalogue, quoted, read_catalogue
from staging.database import as_caller
from staging.gateway import behind_gateway, token_of
from staging.http import Delay, NotJsonError, json_body, json_response
from staging.rest_query import Query, RestError, parse
from staging.rest_sends import MESSAGES, store
from staging.stage import Stage
from staging.tokens import Claims, TokenError, TokenExpiredError

OBJECT = "application/vnd.pgrst.object+json"
RECEIPTS = frozenset({"mark_messages_as_read", "mark_messages_as_delivered"})
NAMING_A_USER = RECEIPTS | {"get_unread_count"}  # functions that are told whom they act for

# SQLSTATE → HTTP, where it is not 400. The first two characters stand for a class.
STATUS = {
    "08": 503, "23503": 409, "23505": 409, "25006": 405, "28": 403, "40": 500, "42501": 403, "42883": 404,
    "42P01": 404, "53": 503, "54": 500, "55": 500, "57": 500, "58": 500, "XX": 500,
}  # fmt: skip


def rest_routes(stage: Stage) -> list[Route]:
    """The routes below ``/rest/v1``."""
    rest = _Rest(stage)
    return [
        Route("/rest/v1/rpc/{function}", behind_gateway(stage, rest.call), methods=["POST"]),
        Route(
            "/rest/v1/{table}",
            behind_gateway(stage, rest.table),
            methods=["GET", "HEAD", "POST", "PATCH", "DELETE"],
        ),
    ]


class _Rest:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._delay = Delay(stage.faults)
        self._catalogue: Catalogue | None = None

    async def table(self, request: Request) -> Response:
        """Read or write a table."""
        return await self._answering(request, self._table)

    async def call(self, request: Request) -> Response:
        """Call a function."""
        return await self._answering(request, self._call)

    async def _answering(self, request: Request, handler: Any) -> Response:
        await self._delay.wait()
        claims: Claims | None = None
        try:
            claims = self._claims(request)
            response: Response = await handler(request, claims)
        except RestError as error:
            return json_response(error.body, error.status)
        except NotJsonError:
            return json_response(RestError(400, "PGRST102", "Empty or invalid json").body, 400)
        except asyncpg.PostgresError as error:
            return _refusal(error, claims)
        return response

    def _claims(self, request: Request) -> Claims:
        try:
            claims = claims_of(self._stage, token_of(request))
        except TokenExpiredError:
            raise RestError(401, "PGRST303", "JWT expired") from None
        except TokenError as error:
            raise RestError(401, "PGRST301", str(error)) from None
        if self._stage.faults.hit("access_open"):
            return {**claims, "role": "service_role"}
        return claims

    async def _known(self) -> Catalogue:
        if self._catalogue is None:
            self._catalogue = await read_catalogue(self._stage.pool)
        return self._catalogue

    async def _table(self, request: Request, claims: Claims) -> Response:
        table = request.path_params["table"]
        columns = (await self._known()).tables.get(table)
        if columns is None:
            raise RestError(404, "PGRST205", f"Could not find the table 'public.{table}' in the schema cache")
        if request.method in ("GET", "HEAD"):
            return await self._select(request, claims, table, columns)
        query = parse(table, columns, request.query_params.multi_items(), first=2)
        if request.method == "DELETE":
            query = parse(table, columns, request.query_params.multi_items())
            return await self._write(
                request, claims, f"delete from public.{quoted(table)}{query.where}", query
            )
        body = await json_body(request)
        if request.method == "PATCH":
            if not isinstance(body, dict) or not body:
                raise RestError(400, "PGRST102", "Empty or invalid json")
            names = _columns_of([body], table, columns)
            changes = ", ".join(f"{quoted(name)} = given.{quoted(name)}" for name in names)
            statement = (
                f"update public.{quoted(table)} set {changes} "
                f"from json_populate_record(null::public.{quoted(table)}, $1::text::json) given"
            )
            return await self._write(request, claims, statement + query.where, query, body)
        rows = body if isinstance(body, list) else [body]
        names = _columns_of(rows, table, columns)
        listed = ", ".join(quoted(name) for name in names)
        source = f"json_populate_recordset(null::public.{quoted(table)}, $1::text::json)"
        statement = f"insert into public.{quoted(table)} ({listed}) select {listed} from {source}"
        if not names:
            statement = f"insert into public.{quoted(table)} default values"
        statement += _conflict(request.headers.get("prefer", ""), query, names)
        return await self._write(request, claims, statement, query, rows)

    async def _select(
        self, request: Request, claims: Claims, table: str, columns: dict[str, str]
    ) -> Response:
        query = parse(table, columns, request.query_params.multi_items())
        statement = f"select {query.columns} from public.{quoted(table)}{query.where}{query.tail}"
        async with as_caller(self._stage.pool, claims) as connection:
            body, count = await _rows(connection, statement, query.parameters)
            total = "*"
            if "count=exact" in request.headers.get("prefer", ""):
                total = await connection.fetchval(
                    f"select count(*) from public.{quoted(table)}{query.where}",
                    *query.parameters,
                )
        if table == MESSAGES and self._stage.faults.is_on("history_skip_rate"):
            kept = [row for row in orjson.loads(body) if not self._stage.faults.hit("history_skip_rate")]
            body, count = orjson.dumps(kept), len(kept)
        ranged = f"0-{count - 1}/{total}" if count else f"*/{total}"
        return _shaped(request, body, count, 200, {"content-range": ranged})

    async def _write(
        self, request: Request, claims: Claims, statement: str, query: Query, body: object = None
    ) -> Response:
        wanted = "return=representation" in request.headers.get("prefer", "")
        if request.method == "POST" and request.path_params["table"] == MESSAGES:
            assert isinstance(body, list)
            sent = await store(self._stage, claims, statement, query.columns, body)
            return (
                _shaped(request, sent.rows, len(sent.ids), 201, {}) if wanted else Response(status_code=201)
            )
        parameters = [*query.parameters]
        if body is not None and "$1" in statement:
            parameters.insert(0, orjson.dumps(body).decode())
        async with as_caller(self._stage.pool, claims) as connection:
            if wanted:
                rows, count = await _rows(connection, f"{statement} returning {query.columns}", parameters)
            else:
                await connection.execute(statement, *parameters)
                rows, count = b"", 0
        status = 201 if request.method == "POST" else 200 if wanted else 204
        return _shaped(request, rows, count, status, {}) if wanted else Response(status_code=status)

    async def _call(self, request: Request, claims: Claims) -> Response:
        name = request.path_params["function"]
        function = (await self._known()).functions.get(name)
        given = await json_body(request) if await request.body() else {}
        if function is None or not isinstance(given, dict) or set(given) != set(function.arguments):
            listed = ", ".join(sorted(given)) if isinstance(given, dict) else ""
            raise RestError(
                404,
                "PGRST202",
                f"Could not find the function public.{name}({listed}) in the schema cache",
                f"Searched for the function public.{name} with parameters {listed}, "
                "but no matches were found in the schema cache.",
            )
        if name in RECEIPTS and self._stage.faults.hit("receipt_ignored_rate"):
            return json_response([{"updated_count": 1}])
        signed_in = claims["role"] == "authenticated"
        if name in NAMING_A_USER and signed_in and self._stage.faults.hit("user_id_unchecked"):
            claims = {**claims, "role": "service_role"}  # who may act for any participant
        arguments = ", ".join(
            f"{quoted(argument)} => (${place}::text)::{kind}"
            for place, (argument, kind) in enumerate(function.arguments.items(), 1)
        )
        values = [
            None if given[argument] is None else str(given[argument]) for argument in function.arguments
        ]
        call = f"public.{quoted(name)}({arguments})"
        async with as_caller(self._stage.pool, claims) as connection:
            if function.returns_rows:
                body, count = await _rows(connection, f"select * from {call}", values)
            else:
                value = await connection.fetchval(f"select to_json({call})::text", *values)
                body, count = (value or "null").encode(), 1
        if name in RECEIPTS:
            await misdeeds.after_receipt(self._stage, uuid.UUID(str(given["p_chat_id"])))
        return (
            _shaped(request, body, count, 200, {})
            if function.returns_rows
            else Response(body, media_type="application/json")
        )


async def _rows(
    connection: asyncpg.Connection, statement: str, parameters: Sequence[object]
) -> tuple[bytes, int]:
    """The rows of `statement` as a JSON array, made by PostgreSQL, and how many they are."""
    row = await connection.fetchrow(
        f"with answer as ({statement}) "
        "select coalesce(json_agg(answer), '[]')::text as body, count(*) as count from answer",
        *parameters,
    )
    return row["body"].encode(), row["count"]


def _shaped(request: Request, body: bytes, count: int, status: int, headers: dict[str, str]) -> Response:
    if OBJECT not in request.headers.get("accept", ""):
        return Response(body, status, headers, media_type="application/json")
    if count != 1:
        raise RestError(
            406,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
            f"The result contains {count} rows",
        )
    return Response(orjson.dumps(orjson.loads(body)[0]), status, headers, media_type=OBJECT)


def _columns_of(rows: list[Any], table: str, columns: dict[str, str]) -> list[str]:
    names: dict[str, None] = {}
    for row in rows:
        if not isinstance(row, dict):
            raise RestError(400, "PGRST102", "Empty or invalid json")
        names.update(dict.fromkeys(row))
    for name in names:
        if name not in columns:
            raise RestError(
                400, "PGRST204", f"Could not find the '{name}' column of '{table}' in the schema cache"
            )
    return list(names)


def _conflict(prefer: str, query: Query, names: list[str]) -> str:
    if "resolution=" not in prefer:
        return ""
    target = f"({query.on_conflict})" if query.on_conflict else "(id)"
    if "ignore-duplicates" in prefer:
        return f" on conflict {target if query.on_conflict else ''} do nothing"
    changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in names)
    return f" on conflict {target} do update set {changes}"


def _refusal(error: asyncpg.PostgresError, claims: Claims | None) -> Response:
    code = error.sqlstate or "XX000"
    status = STATUS.get(code) or STATUS.get(code[:2]) or 400
    if code == "42501" and claims is not None and claims["role"] == "anon":
        status = 401  # not "you may not" but "who are you"
    body = RestError(
        status, code, error.args[0], getattr(error, "detail", None), getattr(error, "hint", None)
    ).body
    return json_response(body, status)
