"""A connection to the target's PostgreSQL, with its refusals said in words."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from analysis.errors import ConfigurationError, TargetError
from analysis.settings import Settings

SQL = Path(__file__).resolve().parents[2] / "sql"
CONNECT_S = 10.0


def sql(name: str) -> str:
    """The statement in ``sql/<name>.sql``."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def place(settings: Settings) -> str:
    """Where the database is, without its password: ``user@host:port/database``.

    Raises:
        ConfigurationError: DATABASE_URL cannot be taken apart. What it holds is not repeated: with a password
            that is not written as a URL asks, no part of it can be told from the password.
    """
    dsn = settings.database_url.get_secret_value()
    user_info, at, _ = dsn.partition("://")[2].rpartition("@")
    if at and any(mark in user_info for mark in "/?#"):
        raise ConfigurationError(
            "DATABASE_URL: the user or the password has a /, ? or # in it; "
            "expected them as %2F, %3F and %23, as in every URL."
        )
    try:
        url = urlsplit(dsn)
        port = url.port
    except ValueError:
        raise ConfigurationError(
            "DATABASE_URL cannot be read as a URL; expected postgresql://user:password@host:port/database "
            "with a port from 0 to 65535, and special characters of the password as %XX."
        ) from None
    host = url.hostname or next(iter(parse_qs(url.query).get("host", ())), "localhost")
    return f"{url.username or 'postgres'}@{host}:{port or 5432}{url.path or '/postgres'}"


@contextmanager
def refusals(settings: Settings, doing: str, remedy: str) -> Iterator[None]:
    """Turns a refusal or the loss of the database while `doing` something into a sentence that ends in `remedy`.

    Raises:
        TargetError: in place of what asyncpg raises.
    """
    try:
        yield
    except asyncpg.PostgresError as error:
        hint = getattr(error, "hint", None)
        said = f"{error} ({hint})" if hint else str(error)
        raise TargetError(
            f"{doing} was refused by the database {place(settings)}: {said}; {remedy}."
        ) from None
    except (asyncpg.InterfaceError, OSError) as error:
        raise TargetError(
            f"{doing} broke off: the connection to the database {place(settings)} was lost ({type(error).__name__}); "
            f"{remedy}."
        ) from None


async def connect(settings: Settings, **options: object) -> asyncpg.Connection:
    """A connection.

    Raises:
        ConfigurationError: DATABASE_URL is no URL of a database.
        TargetError: the database cannot be reached or refuses us; the sentence says why and what to do.
    """
    where = place(settings)
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
    except (
        asyncpg.PostgresError
    ) as error:  # the server's own words, e.g. a pooler's "Tenant or user not found"
        why = f"it does not let us in ({error}); correct it"
    except (asyncpg.InterfaceError, ValueError) as error:
        why = f"it cannot be spoken to ({type(error).__name__}); expected postgresql://user:password@host:port/database"
    raise TargetError(f"The database {where} cannot be used: {why} in DATABASE_URL.") from None
