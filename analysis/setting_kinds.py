"""Kinds of settings that are more than a text or a number, each with the sentence for what is none."""

import re
from math import inf
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from analysis.rates import RateCurve

WARMUP_FOUND = "auto"  # in place of seconds: the end of the warm-up is found in the latencies
# As in .env.staging.example, and in Supabase's connection strings.
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_-]+\]")
_CUT_OFF = ("...", "…")  # how a guide abridges a key


def http_url(url: str) -> str:
    """`url` as the tool uses it: without a slash at its end.

    Raises:
        ValueError: it is no URL of HTTP, or has credentials in it: URLs are written into records and reports.
    """
    _refuse_placeholder(url)
    if not url.startswith(("http://", "https://")):
        raise ValueError("expected a URL that begins with http:// or https://")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - only looking at it checks it
    except ValueError as error:
        raise ValueError(f"expected a URL: {error}") from None
    if "@" in parts.netloc:
        raise ValueError("expected a URL without a user name or password in it (user:password@)")
    if not parts.hostname:
        raise ValueError("expected a URL with a host in it")
    return url.rstrip("/")


def _refuse_placeholder(text: str) -> None:
    if found := _PLACEHOLDER.search(text):
        raise ValueError(f"{found[0]} still stands in it; put your own value in its place")


def _postgres_url(secret: SecretStr) -> SecretStr:
    _refuse_placeholder(secret.get_secret_value())
    if not secret.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("expected a URL that begins with postgresql://")
    return secret


def _key(secret: SecretStr) -> SecretStr:
    key = secret.get_secret_value().strip()
    if not key:
        raise ValueError("expected a key, found nothing")
    _refuse_placeholder(key)
    if key.endswith(_CUT_OFF):
        raise ValueError(
            "expected a whole key, found one that ends in dots; copy it from the project's settings"
        )
    return secret


def _warmup(text: str) -> str:
    if text.strip() == WARMUP_FOUND:
        return WARMUP_FOUND
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < inf:
        raise ValueError(
            f"expected a number of seconds, or {WARMUP_FOUND} to have it found, found {text[:60]!r}"
        )
    return text.strip()


def _rate(text: str) -> str:
    RateCurve.parse(text)
    return text.strip()


HttpUrl = Annotated[str, AfterValidator(http_url)]
Key = Annotated[SecretStr, AfterValidator(_key)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Warmup = Annotated[str, BeforeValidator(str), AfterValidator(_warmup)]
Rate = Annotated[str, BeforeValidator(str), AfterValidator(_rate)]
