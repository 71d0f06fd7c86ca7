"""Every setting of chatsoak, read and validated once, before any load.

A setting comes from the environment or from the env file (default ``.env.staging``); the environment
wins. The names of the guide (``NEXT_PUBLIC_SUPABASE_URL`` …) are kept, the tool's own begin with
``CHATSOAK_``. `load` turns every problem into one `ConfigurationError` sentence that names the setting,
what was found, what is expected and where to set it. Secrets are `SecretStr`: they do not show in a repr,
and `masked` is the only form that may be written down.
"""

import hmac
import os
from collections.abc import Mapping
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from analysis import env_file as files
from analysis.errors import ConfigurationError
from analysis.setting_kinds import (
    WARMUP_FOUND,
    HttpUrl,
    Key,
    Positive,
    PostgresUrl,
    Rate,
    Share,
    Warmup,
    http_url,
)

DEFAULT_ENV_FILE = Path(".env.staging")


class Transport(StrEnum):
    """How messages are sent and read."""

    APP = "app"  # the app's own /api/messages
    REST = "rest"  # Supabase's REST interface, for apps that insert from the client


class AppAuth(StrEnum):
    """How the app learns who calls."""

    BEARER = "bearer"
    COOKIE = "cookie"


class Workload(StrEnum):
    """Whether a slow server slows the load (closed) or not (open)."""

    CLOSED = "closed"
    OPEN = "open"


class Arrivals(StrEnum):
    """How the actions of an open workload are spread in time."""

    POISSON = "poisson"  # as of many people who know nothing of one another
    CONSTANT = "constant"  # evenly


class ShapeName(StrEnum):
    """How the number of users moves over the run."""

    SOAK = "soak"
    RAMP = "ramp"
    SPIKE = "spike"
    STEPS = "steps"


class Settings(BaseSettings):
    """What a run is told. Field names are the environment's names in lower case."""

    model_config = SettingsConfigDict(
        case_sensitive=False, extra="ignore", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    # The target
    next_public_supabase_url: HttpUrl = Field(
        description="URL of the Supabase project, for Auth, REST and Realtime"
    )
    next_public_supabase_anon_key: Key = Field(description="The project's anon (public) key")
    supabase_service_role_key: Key = Field(
        description="The project's service role key: creates the people of a run through Supabase Auth"
    )
    database_url: PostgresUrl = Field(
        description="PostgreSQL of the project, for the monitor; a direct connection or a session pooler"
    )

    chatsoak_password: SecretStr = Field(
        SecretStr(""), description="Password of the run's people; empty: derived from the service role key"
    )
    chatsoak_person_email: str = Field(
        "chatsoak+{n}@example.com", description="E-mail pattern of the run's people; `{n}` is their number"
    )

    # The app's API
    chatsoak_transport: Transport = Field(
        Transport.APP,
        description="`app`: send through the app's API; `rest`: through Supabase's REST interface",
    )
    chatsoak_messages_path: str = Field("/api/messages", description="Path of the app's messages endpoint")
    chatsoak_app_auth: AppAuth = Field(
        AppAuth.BEARER, description="`bearer`: Authorization header; `cookie`: a Supabase session cookie"
    )
    chatsoak_cookie_name: str = Field(
        "",
        description="Name of the session cookie (`cookie` only); empty: Supabase's own, sb-<ref>-auth-token",
    )
    chatsoak_field_chat_id: str = Field("chatId", description="Request field and query parameter of the chat")
    chatsoak_field_text: str = Field("text", description="Request field of the message text")
    chatsoak_field_client_generated_id: str = Field(
        "clientGeneratedId", description="Request field of the idempotency key; empty: the app takes none"
    )
    chatsoak_field_before_seq: str = Field("beforeSeq", description="Query parameter of the keyset bound")
    chatsoak_answer_message: str = Field(
        "", description="Where in a send's answer the message lies, as a dotted path; empty: at the top"
    )
    chatsoak_answer_messages: str = Field(
        "",
        description="Where in a history answer the list lies, as a dotted path; empty: the answer is the list",
    )
    chatsoak_answer_id: str = Field("id", description="Field of a message's id in answers")
    chatsoak_answer_seq: str = Field("seq", description="Field of a message's seq in answers")
    chatsoak_answer_text: str = Field(
        "message_text",
        description="Field of a message's text in a history answer; empty: it has none, or not as it was sent",
    )
    chatsoak_answer_status: str = Field(
        "status",
        description="Field of a message's status in a history answer; empty: it has none, or in words of its own",
    )

    # The people and chats
    chatsoak_people: int = Field(
        0, ge=0, le=10_000, description="People to create; fewer than users, or 0: as many as users"
    )
    chatsoak_direct_share: Share = Field(
        0.6, description="Share of chats that are direct; the rest are groups of 3 to 20"
    )
    chatsoak_chats_per_person: Annotated[float, Field(gt=0, le=50)] = Field(
        1.5, description="Chats to create for each person"
    )
    chatsoak_busy_share: Share = Field(0.1, description="Share of chats that are much busier than the rest")
    chatsoak_busy_weight: Annotated[float, Field(ge=1)] = Field(
        8, description="How many times busier those are"
    )
    chatsoak_seed: int = Field(1, description="Seed of every random choice: people, chats, texts, pauses")

    # What users do
    chatsoak_workload: Workload = Field(
        Workload.CLOSED,
        description="`closed`: a user waits for the answer, then thinks; `open`: sends leave on schedule",
    )
    chatsoak_think_time_s: Positive = Field(
        1.0, description="Mean pause between a user's actions, closed workload"
    )
    chatsoak_arrivals: Arrivals = Field(
        Arrivals.POISSON,
        description="How actions are spread in an open workload: `poisson`: at random; `constant`: evenly",
    )
    chatsoak_arrival_rate: Rate = Field(
        "10",
        description="Sends a second over all users, open workload: a number, or points in time with straight lines "
        "between them, such as `0s:10,60s:50,120s:50,180s:5`",
    )
    chatsoak_max_in_flight: int = Field(
        64,
        ge=1,
        description="Most actions under way at once in one load process, open workload; overflow is counted",
    )
    chatsoak_shape: ShapeName = Field(
        ShapeName.SOAK, description="How the number of users moves over the run"
    )
    chatsoak_repeat_share: Share = Field(
        0.05, description="Share of sends that are repeated with the same id"
    )
    chatsoak_history_share: Share = Field(0.1, description="Share of a user's actions that read history")
    chatsoak_reconnect_share: Share = Field(
        0.005, description="Share of a user's actions that drop the socket"
    )
    chatsoak_outsider_share: Share = Field(
        0.05,
        description="Share of users who also try what they may not: every second action of theirs; 0: nobody",
    )
    chatsoak_outsider_expired_s: Annotated[float, Field(ge=0)] = Field(
        30.0,
        description="An access token is tried as an expired one so long after its end: servers allow for clocks that differ",
    )
    chatsoak_request_timeout_s: Positive = Field(
        10.0, description="A request without an answer by then is `info`"
    )
    chatsoak_heartbeat_s: Annotated[float, Field(gt=0, le=50)] = Field(
        25.0, description="Seconds between heartbeats of a Realtime socket"
    )
    chatsoak_drain_s: Annotated[float, Field(ge=0)] = Field(
        15.0, description="Longest wait for deliveries on their way after the last send"
    )

    # The judge
    chatsoak_warmup_s: Warmup = Field(
        WARMUP_FOUND,
        description="Seconds after the first send that latency figures leave out; `auto`: found in the latencies (MSER-5)",
    )
    chatsoak_target_send_avg_ms: Positive = Field(300.0, description="Target of the average send latency")
    chatsoak_target_send_p95_ms: Positive = Field(500.0, description="Target of the P95 of send latency")
    chatsoak_target_delivery_p95_ms: Positive = Field(
        1000.0, description="Target of the P95 of delivery latency"
    )
    chatsoak_target_errors_share: Share = Field(0.001, description="Target share of sends that are not ok")
    chatsoak_target_delivered_within_s: Positive = Field(
        5.0, description="A receipt must show in the database this soon after its acknowledgement"
    )
    chatsoak_target_history_query_ms: Positive = Field(
        10.0, description="Target of the median execution time of the history query in PostgreSQL"
    )
    chatsoak_monitor_interval_s: Annotated[float, Field(ge=0.1, le=60)] = Field(
        1.0, description="Seconds between the monitor's looks at the database"
    )
    chatsoak_reports_dir: Path = Field(Path("reports"), description="Where runs are written")

    @field_validator("chatsoak_person_email")
    @classmethod
    def _numbered(cls, pattern: str) -> str:
        if "{n}" not in pattern or "@" not in pattern:
            raise ValueError("expected an e-mail address with {n} in it, such as chatsoak+{n}@example.com")
        return pattern

    @model_validator(mode="after")
    def _keys_differ(self) -> "Settings":
        if self.next_public_supabase_anon_key == self.supabase_service_role_key:
            raise ValueError(
                "NEXT_PUBLIC_SUPABASE_ANON_KEY and SUPABASE_SERVICE_ROLE_KEY are the same; "
                "expected the project's two different keys"
            )
        return self

    def password_of(self, email: str) -> str:
        """The password of a person of the pool: derived, so that no file has to keep it."""
        if given := self.chatsoak_password.get_secret_value():
            return given
        key = self.supabase_service_role_key.get_secret_value().encode()
        return hmac.new(key, f"chatsoak:{email}".encode(), "sha256").hexdigest()[:40]

    def masked(self) -> dict[str, Any]:
        """All settings by their environment names, secrets as ``***``: the form that may be written down."""
        return {
            name.upper(): "***" if isinstance(value, SecretStr) else value
            for name, value in self.model_dump(mode="python").items()
        }


def load(env_file: Path = DEFAULT_ENV_FILE, overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the settings from `env_file` and the environment; `overrides` (by field name) win over both.

    Raises:
        ConfigurationError: a setting is missing, wrong or unknown; the sentence says which, and where to set it.
    """
    files.check(env_file)
    files.refuse_unknown(env_file, [name.upper() for name in Settings.model_fields])
    try:
        return Settings(_env_file=env_file, **dict(overrides or {}))  # type: ignore[arg-type,call-arg]
    except ValidationError as error:
        raise ConfigurationError(_sentence(error, env_file, overrides or {})) from None


def app_url(host: str) -> str:
    """`host`, as ``--host`` gives it, as the tool uses it.

    Raises:
        ConfigurationError: it is no URL of HTTP, or has credentials in it.
    """
    try:
        return http_url(host)
    except ValueError as error:
        raise ConfigurationError(f"--host: {error}, such as https://staging.example.com.") from None


class _Reports(BaseSettings):
    """The one setting that reading reports needs: no target, no keys."""

    model_config = SettingsConfigDict(case_sensitive=False, extra="ignore", frozen=True)
    chatsoak_reports_dir: Path = Settings.model_fields["chatsoak_reports_dir"].default


def reports_dir(env_file: Path = DEFAULT_ENV_FILE) -> Path:
    """Where runs lie, for commands that need no target.

    Raises:
        ConfigurationError: `env_file` cannot be read.
    """
    files.check(env_file)
    return _Reports(_env_file=env_file).chatsoak_reports_dir  # type: ignore[call-arg]


def _sentence(error: ValidationError, env_file: Path, overrides: Mapping[str, object]) -> str:
    """What is wrong, with what was found where it is no secret."""
    problems = error.errors(include_url=False)
    by_hand = all(problem["loc"] and problem["loc"][0] in overrides for problem in problems)
    places = [*(["on the command line"] if by_hand else []), "in the environment"]
    no_file = env_file == Path(os.devnull)
    if not no_file:
        places.insert(-1, f"in {env_file}")
    where = f"set it {', '.join(places[:-1])}{' or ' if places[:-1] else ''}{places[-1]}"
    if not by_hand and not no_file and not env_file.exists():
        where += f" ({env_file} does not exist)"
    return f"{'; '.join(_problem(problem) for problem in problems)}; {where}."


def _problem(problem: ErrorDetails) -> str:
    if not problem["loc"]:
        return f"The settings: {_said(problem)}"
    field = str(problem["loc"][0])
    name = field.upper()
    if problem["type"] == "missing":
        return f"{name} is not set"
    # A URL that was refused may hold a password, or be one pasted into the wrong line.
    told = Settings.model_fields[field].annotation in {int, float, Path} or isinstance(
        Settings.model_fields[field].default, Enum
    )
    return f"{name}: {_said(problem)}" + (f", found {str(problem['input'])[:60]!r}" if told else "")


def _said(problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    return message.replace("Input should be", "expected", 1)
