"""Password hashes, with scrypt from the standard library.

Supabase Auth uses bcrypt. Scrypt with these figures takes a few milliseconds, so that a few hundred people can
sign in within seconds; it guards throw-away accounts of a throw-away database.
"""

import base64
import hashlib
import hmac
import secrets

_N, _R, _P = 2**11, 8, 1


def hashed(password: str) -> str:
    """A salted hash of `password`, as text."""
    salt = secrets.token_bytes(16)
    return f"scrypt:{_text(salt)}:{_text(_digest(password, salt))}"


def matches(password: str, stored: str | None) -> bool:
    """Whether `password` is the one that was hashed."""
    kind, _, rest = (stored or "").partition(":")
    salt, _, digest = rest.partition(":")
    if kind != "scrypt":
        return False
    return hmac.compare_digest(_digest(password, base64.b64decode(salt)), base64.b64decode(digest))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
