"""Promise: a setting that is wrong, unknown or unreadable is refused with one sentence that says what to do, and no
secret is in it."""

from pathlib import Path

import pytest

from analysis.errors import ConfigurationError
from analysis.settings import Settings, app_url, load, reports_dir

RIGHT = {
    "NEXT_PUBLIC_SUPABASE_URL": "https://abc.supabase.co/",
    "NEXT_PUBLIC_SUPABASE_ANON_KEY": "anon",
    "SUPABASE_SERVICE_ROLE_KEY": "service",
    "DATABASE_URL": "postgresql://postgres@db.example.com/postgres",
}


@pytest.fixture(autouse=True)
def nobody_else_s_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have set some for themself."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def file(folder: Path, **changes: str | None) -> Path:
    """An env file that is right but for `changes`."""
    path = folder / ".env.staging"
    lines = [f"{name}={value}\n" for name, value in {**RIGHT, **changes}.items() if value is not None]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    """The sentence with which the settings in `path` are refused."""
    with pytest.raises(ConfigurationError) as refused:
        load(path)
    return str(refused.value)


def test_what_is_right_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATSOAK_SEED", "8")
    settings = load(file(tmp_path, CHATSOAK_SEED="7", CHATSOAK_DRAIN_S="0", UNKNOWN_TO_US="x"))
    assert settings.next_public_supabase_url == "https://abc.supabase.co"
    assert (settings.chatsoak_seed, settings.chatsoak_drain_s) == (8, 0)


def test_secrets_are_masked(tmp_path: Path) -> None:
    masked = load(file(tmp_path, CHATSOAK_PASSWORD="hush-hush")).masked()
    assert (
        masked["CHATSOAK_PASSWORD"] == masked["DATABASE_URL"] == masked["SUPABASE_SERVICE_ROLE_KEY"] == "***"
    )
    assert masked["CHATSOAK_SEED"] == 1


def test_what_is_missing_is_named_with_the_place_to_set_it(tmp_path: Path) -> None:
    said = refusal(file(tmp_path, DATABASE_URL=None, SUPABASE_SERVICE_ROLE_KEY=None))
    assert "DATABASE_URL is not set" in said
    assert "SUPABASE_SERVICE_ROLE_KEY is not set" in said
    assert str(tmp_path / ".env.staging") in said
    assert "does not exist" in refusal(tmp_path / "another")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CHATSOAK_THINK_TIME_S", "abc", "CHATSOAK_THINK_TIME_S: expected a valid number"),
        ("CHATSOAK_THINK_TIME_S", "abc", "found 'abc'"),
        ("CHATSOAK_DRAIN_S", "inf", "CHATSOAK_DRAIN_S: expected a finite number, found 'inf'"),
        ("CHATSOAK_TARGET_SEND_P95_MS", "nan", "CHATSOAK_TARGET_SEND_P95_MS: expected"),
        ("CHATSOAK_REPEAT_SHARE", "1.5", "expected less than or equal to 1, found '1.5'"),
        (
            "CHATSOAK_WARMUP_S",
            "-1",
            "CHATSOAK_WARMUP_S: expected a number of seconds, or auto to have it found",
        ),
        ("CHATSOAK_WARMUP_S", "soon", "found 'soon'"),
        ("CHATSOAK_WARMUP_S", "nan", "found 'nan'"),
        ("CHATSOAK_SHAPE", "circle", "'steps', found 'circle'"),
        ("CHATSOAK_PERSON_EMAIL", "me@example.com", "{n}"),
        ("NEXT_PUBLIC_SUPABASE_URL", "abc.supabase.co", "begins with http:// or https://"),
        ("NEXT_PUBLIC_SUPABASE_URL", "https://:80", "with a host in it"),
        ("NEXT_PUBLIC_SUPABASE_URL", "https://a:port", "expected a URL"),
        ("DATABASE_URL", "mysql://x", "begins with postgresql://"),
        ("SUPABASE_SERVICE_ROLE_KEY", "anon", "are the same"),
        ("SUPABASE_SERVICE_ROLE_KEY", " ", "expected a key, found nothing"),
        (
            "NEXT_PUBLIC_SUPABASE_URL",
            "https://[STAGING_PROJECT_REF].supabase.co",
            "NEXT_PUBLIC_SUPABASE_URL: [STAGING_PROJECT_REF] still stands in it; put your own value in its place",
        ),
        (
            "DATABASE_URL",
            "postgresql://postgres:[YOUR-PASSWORD]@db.example.com/postgres",
            "[YOUR-PASSWORD] still",
        ),
        ("NEXT_PUBLIC_SUPABASE_ANON_KEY", "eyJhbGciOiJIUzI1NiJ9...", "expected a whole key"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    assert sentence in refusal(file(tmp_path, **{name: value}))


@pytest.mark.parametrize("name", ["NEXT_PUBLIC_SUPABASE_URL", "DATABASE_URL"])
def test_a_password_in_a_wrong_place_is_not_repeated(tmp_path: Path, name: str) -> None:
    value = "https://me:hush-hush@example.com"
    assert "hush-hush" not in refusal(file(tmp_path, **{name: value}))


def test_a_host_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigurationError, match="--host: expected a URL without a user name") as refused:
        app_url("https://me:hush-hush@example.com")
    assert "hush-hush" not in str(refused.value)
    assert app_url("http://127.0.0.1:3000/") == "http://127.0.0.1:3000"


def test_a_misspelt_setting_is_refused_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refusal(file(tmp_path, CHATSOAK_TARGET_SEND_P59_MS="400"))
    assert "CHATSOAK_TARGET_SEND_P59_MS, set in" in said
    assert "did you mean CHATSOAK_TARGET_SEND_P95_MS?" in said
    monkeypatch.setenv("CHATSOAK_TARGT_SEND_AVG_MS", "400")
    assert "CHATSOAK_TARGT_SEND_AVG_MS, set in the environment" in refusal(file(tmp_path))


def test_the_variables_of_the_commands_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHATSOAK_ENV_FILE", "CHATSOAK_STAGE_FAULT", "CHATSOAK_STAGE_DATABASE_URL"):
        monkeypatch.setenv(name, "x")
    assert load(file(tmp_path)).chatsoak_seed == 1


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".env.staging"
    path.write_bytes("DATABASE_URL=postgresql://postgres:pässword@x/y".encode("latin-1"))
    assert "is no UTF-8 text (byte 36); save it as UTF-8" in refusal(path)
    with pytest.raises(ConfigurationError, match="no UTF-8 text"):
        reports_dir(path)


def test_a_line_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".env.staging"
    path.write_text("CHATSOAK_SEED=1\n\n!! no setting\n", encoding="utf-8")
    assert f"The env file {path} cannot be understood from line 2 on" in refusal(path)
    with pytest.raises(ConfigurationError, match="expected a line NAME=VALUE"):
        reports_dir(path)


def test_a_folder_for_a_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (Is a directory)" in refusal(tmp_path)
    with pytest.raises(ConfigurationError, match="Is a directory"):
        reports_dir(tmp_path)
