"""A connection to the target's PostgreSQL, with its refusals said in words."""

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from analysis.errors import TargetError
from analysis.settings import Settings

SQL = Path(__file__).resolve().parents[2] / "sql"
CONNECT_S = 10.0


def sql(name: str) -> str:
    """The statement in ``sql/<name>.sql``."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def place(settings: Settings) -> str:
    """Where the database is, without its password: ``user@host:port/database``."""
    url = urlsplit(settings.database_url.get_secret_value())
    return f"{url.username or 'postgres'}@{url.hostname}:{url.port or 5432}{url.path or '/postgres'}"


async def connect(settings: Settings, **options: object) -> asyncpg.Connection:
    """A connection.

    Raises:
        TargetError: the database cannot be reached or refuses us; the sentence says why and what to do.
    """
    try:
        return await asyncpg.connect(settings.database_url.get_secret_value(), timeout=CONNECT_S, **options)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        why = "it refuses the user or the password; correct them"
    except asyncpg.InvalidCatalogNameError:
        why = "it has no database of that name; correct it"
    except asyncpg.TooManyConnectionsError:
        why = "it has no connection left; free some, or raise max_connections"
    except socket.gaierror:
        why = "there is no host of that name; correct it"
    except TimeoutError:
        why = f"it did not answer within {CONNECT_S:.0f} s; is it the right host, and does a firewall stand between?"
    except ssl.SSLError as error:
        why = f"no encrypted connection came about ({error.reason}); correct sslmode"
    except (ConnectionError, OSError):
        why = "nothing listens there; start it, or correct host and port"
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        why = f"it does not let us in ({type(error).__name__}); expected postgresql://user:password@host:port/database"
    raise TargetError(f"The database {place(settings)} cannot be used: {why} in DATABASE_URL.") from None
