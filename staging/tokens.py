"""JSON Web Tokens as Supabase makes them: HS256, the claims of Supabase Auth, and the two API keys.

Source of the claims: https://supabase.com/docs/guides/auth/jwt-fields
"""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt

Claims = dict[str, Any]

# Fixed, so that a stage started again over the same secret has the same keys, as a paused project has.
KEYS_ISSUED_S = 1_735_689_600  # 2025-01-01
KEYS_EXPIRE_S = 4_102_444_800  # 2100-01-01


class TokenError(Exception):
    """A token that must not be honoured."""


class TokenExpiredError(TokenError):
    """A genuine token whose time is over; `seconds_ago` says since when, and `claims` what it claims."""

    def __init__(self, seconds_ago: int, claims: Claims) -> None:
        super().__init__(f"Token has expired {seconds_ago} seconds ago")
        self.seconds_ago = seconds_ago
        self.claims = claims


class TokenMalformedError(TokenError):
    """No token at all: not three parts, or no JSON in them."""


class TokenIncompleteError(TokenMalformedError):
    """A genuine token without a claim that it must have."""


class TokenForgedError(TokenError):
    """Signed with some other key."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs and verifies with one secret.

    Attributes:
        secret: shared by Auth, REST, Realtime and the app; 32 bytes or more.
        issuer: the `iss` claim, e.g. ``http://127.0.0.1:8000/auth/v1``.
        lifetime_s: how long an access token is valid.
    """

    secret: str
    issuer: str
    lifetime_s: int = 3600

    def api_key(self, role: str) -> str:
        """The project's key for `role` (anon, service_role): always the same one for the same secret."""
        return self._sign(
            {
                "iss": "supabase",
                "ref": "staging",
                "role": role,
                "iat": KEYS_ISSUED_S,
                "exp": KEYS_EXPIRE_S,
            }
        )

    def access_token(self, user_id: str, email: str, session_id: str, lifetime_s: int | None = None) -> str:
        """An access token for a signed-in person."""
        now = int(time.time())
        return self._sign(
            {
                "aal": "aal1",
                "amr": [{"method": "password", "timestamp": now}],
                "app_metadata": {"provider": "email", "providers": ["email"]},
                "aud": "authenticated",
                "email": email,
                "exp": now + (self.lifetime_s if lifetime_s is None else lifetime_s),
                "iat": now,
                "is_anonymous": False,
                "iss": self.issuer,
                "phone": "",
                "role": "authenticated",
                "session_id": session_id,
                "sub": user_id,
                "user_metadata": {},
            }
        )

    def verify(self, token: str) -> Claims:
        """The claims of a genuine, unexpired token.

        Raises:
            TokenError: one of its kinds.
        """
        try:
            # iat is not checked: Supabase does not, and clocks of a client and a server may differ by a second.
            claims: Claims = jwt.decode(
                token, self.secret, algorithms=["HS256"], options={"verify_aud": False, "verify_iat": False}
            )
        except jwt.ExpiredSignatureError:
            expired = unverified(token)
            raise TokenExpiredError(int(time.time()) - int(expired["exp"]), expired) from None
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError):
            raise TokenForgedError("JWT signature is not valid") from None
        except jwt.PyJWTError:
            raise TokenMalformedError("The token provided is not a valid JWT") from None
        if not isinstance(claims.get("role"), str):
            raise TokenIncompleteError("The token has no role claim")
        return claims

    def _sign(self, claims: Claims) -> str:
        return jwt.encode(claims, self.secret, algorithm="HS256")


def unverified(token: str) -> Claims:
    """What a token claims, whoever has signed it.

    Raises:
        TokenMalformedError: it is none.
    """
    try:
        claims: Claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise TokenMalformedError("The token provided is not a valid JWT") from None
    return claims


def new_session_id() -> str:
    """The id of a fresh sign-in."""
    return str(uuid.uuid4())
