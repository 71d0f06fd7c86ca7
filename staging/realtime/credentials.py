"""Who may connect and join: Supabase's checks of a token, and its words for each way to fail.

A failure has a code and a message; what goes out differs by place. At the handshake it is an HTTP status with a
message; at a join `Code: message`; while a channel is open the message alone.
Source: user_socket.ex and realtime_channel.ex of supabase/realtime.
"""

from dataclasses import dataclass

from staging.tokens import (
    Claims,
    TokenExpiredError,
    TokenForgedError,
    TokenIncompleteError,
    TokenMalformedError,
    Tokens,
)

__all__ = ["Credentials", "RefusedError", "authorize", "expired"]


class RefusedError(Exception):
    """A token that is not accepted.

    Attributes:
        code: that a join's error starts with.
        message: what is wrong, as channels say it.
        at_handshake: what is wrong, as the handshake says it.
    """

    def __init__(self, code: str, message: str, at_handshake: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at_handshake = at_handshake or message


@dataclass(frozen=True, slots=True)
class Credentials:
    """An accepted token. `expires_at_s`: in seconds of the Unix epoch."""

    token: str
    claims: Claims
    expires_at_s: int

    @property
    def role(self) -> str:
        """The database role that it stands for."""
        return str(self.claims["role"])


def authorize(tokens: Tokens, token: str) -> Credentials:
    """Check a token.

    Raises:
        RefusedError: with Supabase's words.
    """
    token = "".join(token.split())
    try:
        claims = tokens.verify(token)
        expires_at_s = claims.get("exp")
        if not isinstance(expires_at_s, int):
            raise TokenIncompleteError("no exp")
    except TokenExpiredError as error:
        raise expired(error.seconds_ago) from error
    except TokenIncompleteError as error:
        raise RefusedError("InvalidJWTToken", "Fields `role` and `exp` are required in JWT") from error
    except TokenMalformedError as error:
        raise RefusedError("MalformedJWT", "The token provided is not a valid JWT") from error
    except TokenForgedError as error:
        raise RefusedError("JwtSignatureError", "Failed to validate JWT signature") from error
    return Credentials(token, claims, expires_at_s)


def expired(seconds_ago: int) -> RefusedError:
    """The refusal of a token whose time was over so many seconds ago."""
    return RefusedError(
        "InvalidJWTToken", f"Token has expired {seconds_ago} seconds ago", "Token has expired"
    )
