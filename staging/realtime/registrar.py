"""Turns a channel's bindings into live subscriptions: asks the database whether the role may have them.

Keeps one connection of its own, so that a crowd of joins neither drains the requests' pool nor holds up the feed.
"""

import asyncio
import json
import re

import asyncpg

from staging.database import sql
from staging.realtime.binding import Binding
from staging.realtime.credentials import Credentials
from staging.realtime.filters import Operand, comparable
from staging.realtime.slot import PUBLICATION
from staging.realtime.subscriptions import Condition, Receiver, Subscription

__all__ = ["NotSubscribedError", "Registrar"]

# What asyncpg raises, now this and now that, when the server has hung up.
GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class NotSubscribedError(Exception):
    """The database does not allow the subscription. The message is Supabase's."""


class Registrar:
    """Checks bindings, one at a time."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    async def check(
        self, receiver: Receiver, credentials: Credentials, bindings: list[Binding]
    ) -> list[Subscription]:
        """The subscriptions, not live yet: all of them or none.

        Raises:
            NotSubscribedError: a table that is not published, or a column or value that does not fit.
            OSError: the database cannot be reached.
        """
        # A client that leaves in the midst of it must not leave a half-cancelled query on the connection.
        checking = asyncio.create_task(self._check(receiver, credentials, bindings))
        try:
            return await asyncio.shield(checking)
        except asyncio.CancelledError:
            checking.add_done_callback(_outcome_wanted_by_nobody)
            raise

    async def _check(
        self, receiver: Receiver, credentials: Credentials, bindings: list[Binding]
    ) -> list[Subscription]:
        claims = json.dumps(credentials.claims)
        async with self._turn:
            return [
                Subscription(
                    receiver,
                    binding,
                    credentials.role,
                    claims,
                    await self._conditions(binding, credentials.role),
                )
                for binding in bindings
            ]

    async def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _conditions(self, binding: Binding, role: str) -> dict[int, tuple[Condition, ...]]:
        connection = await self._connected()
        try:
            rows = await connection.fetch(
                "select relation, filter_types, operands "
                "from pg_temp.check_subscription($1, $2, $3, $4, $5, $6, $7, $8)",
                PUBLICATION,
                binding.schema,
                binding.table,
                role,
                [condition.column for condition in binding.filters],
                [condition.operator for condition in binding.filters],
                [condition.value for condition in binding.filters],
                binding.select,
            )
        except GONE as error:
            await self.close()
            raise ConnectionResetError("the database is gone") from error
        except asyncpg.PostgresError as error:
            raise NotSubscribedError(
                "Unable to subscribe to changes with given parameters. An exception happened so please check your "
                f"connect parameters: [{binding.described()}]. Exception: {_described(error)}"
            ) from error
        if not rows:
            raise NotSubscribedError(
                "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the "
                f"given connect parameters: [{binding.described()}]"
            )
        return {
            row["relation"]: tuple(
                Condition(condition, _operand(condition.operator, type_name, value), type_name)
                for condition, type_name, value in zip(
                    binding.filters, row["filter_types"], json.loads(row["operands"]), strict=True
                )
            )
            for row in rows
        }

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await asyncpg.connect(
                    self._dsn,
                    server_settings={
                        "application_name": "realtime subscriptions",
                        "timezone": "UTC",
                        "datestyle": "ISO",
                    },
                )
                await self._connection.execute(sql("realtime_check_subscription"))
            except asyncpg.PostgresError as error:
                raise ConnectionRefusedError("the database does not let us in") from error
        return self._connection


def _operand(operator: str, type_name: str, value: str | list[str]) -> Operand:
    if isinstance(value, list):
        return frozenset(comparable(type_name, text) for text in value)
    return value if operator == "is" else comparable(type_name, value)


def _described(error: asyncpg.PostgresError) -> str:
    """As Supabase's database driver words it: ERROR 22P02 (invalid_text_representation) invalid input ..."""
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower().removesuffix("_error")
    condition = "raise_exception" if error.sqlstate == "P0001" else words
    return f"ERROR {error.sqlstate} ({condition}) {error}"


def _outcome_wanted_by_nobody(checking: asyncio.Task[list[Subscription]]) -> None:
    """Take note of a refusal, so that asyncio does not report one that nobody waits for."""
    if not checking.cancelled():
        checking.exception()
