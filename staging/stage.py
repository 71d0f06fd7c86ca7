"""What the parts of the environment share."""

from dataclasses import dataclass

import asyncpg

from staging.faults import Faults
from staging.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Stage:
    """A running environment, as its request handlers see it.

    Attributes:
        pool: connections to PostgreSQL; requests run under their callers' rights.
        dsn: of a superuser, for the replication slot of Realtime. A secret.
    """

    pool: asyncpg.Pool
    dsn: str
    tokens: Tokens
    faults: Faults
    anon_key: str
    service_role_key: str
