"""Promise: whatever is wrong with a target is said before any load, in one sentence, with exit code 2."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.analysis.targets import MIGRATIONS, Target, new_database, run, run_files
from tests.staging.stages import RunningStage


def sentence(done: subprocess.CompletedProcess[str], target: Target) -> str:
    """What `doctor` said on its way out; every refusal must look so."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].endswith(".")
    assert "Traceback" not in lines[0]
    assert not [secret for secret in target.secrets if secret and secret in lines[0]]
    return lines[0]


def refusal(target: Target, host: str | None = None) -> str:
    return sentence(target.chatsoak("doctor", "--host", host or target.host), target)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port of ours on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_target_in_good_order_passes_and_stays_as_it_is(target: Target) -> None:
    done = target.chatsoak("doctor", "--host", target.host, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    names = ["reports", "app", "supabase", "auth", "realtime", "database", "schema", "migrations"]
    assert [check["check"] for check in said["checks"]] == names
    assert all(check["ok"] for check in said["checks"])
    assert not [secret for secret in target.secrets if secret in done.stdout]


def test_an_unknown_host(target: Target) -> None:
    assert "no host named chat.invalid" in refusal(target, "http://chat.invalid")


def test_a_port_where_nothing_listens(target: Target, silent_port: int) -> None:
    said = refusal(target, f"http://127.0.0.1:{silent_port}")
    assert f"http://127.0.0.1:{silent_port}" in said
    assert "nothing listens there" in said


@pytest.mark.parametrize("host", ["chat.example.com", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"])
def test_a_host_that_is_no_url(target: Target, host: str) -> None:
    assert "expected a URL" in refusal(target, host)


def test_a_server_that_is_not_the_app(target: Target) -> None:
    said = refusal(target.but(CHATSOAK_MESSAGES_PATH="/api/nothing"))
    assert "/api/nothing" in said
    assert "CHATSOAK_MESSAGES_PATH" in said


def test_an_app_that_answers_with_errors(target: Target) -> None:
    class Broken(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, *arguments: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            assert "with 503" in refusal(target, f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            serving.join()


def test_supabase_not_there(target: Target, silent_port: int) -> None:
    said = refusal(target.but(NEXT_PUBLIC_SUPABASE_URL=f"http://127.0.0.1:{silent_port}"))
    assert "correct NEXT_PUBLIC_SUPABASE_URL" in said


def test_a_wrong_anon_key(target: Target) -> None:
    changed = target.but(NEXT_PUBLIC_SUPABASE_ANON_KEY="wrong-key")
    assert "refuses NEXT_PUBLIC_SUPABASE_ANON_KEY" in refusal(changed)


def test_a_wrong_service_role_key(target: Target) -> None:
    assert "refuses SUPABASE_SERVICE_ROLE_KEY" in refusal(target.but(SUPABASE_SERVICE_ROLE_KEY="wrong-key"))


def test_both_keys_mixed_up(target: Target) -> None:
    anon, service = (
        target.environment[name] for name in ("NEXT_PUBLIC_SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY")
    )
    changed = target.but(NEXT_PUBLIC_SUPABASE_ANON_KEY=service, SUPABASE_SERVICE_ROLE_KEY=anon)
    assert "SUPABASE_SERVICE_ROLE_KEY" in refusal(changed)


def database_but(target: Target, **parts: str) -> Target:
    url = urlsplit(target.environment["DATABASE_URL"])
    user, password, host, port = (
        parts.get("user", url.username),
        parts.get("password", url.password),
        parts.get("host", url.hostname),
        parts.get("port", url.port),
    )
    return target.but(
        DATABASE_URL=f"postgresql://{user}:{password}@{host}:{port}{parts.get('path', url.path)}"
    )


def test_a_wrong_password_of_the_database(target: Target) -> None:
    changed = database_but(target, password="not-the-password")
    assert "refuses the user or the password" in refusal(changed)


def test_a_wrong_user_of_the_database(target: Target) -> None:
    assert "refuses the user or the password" in refusal(database_but(target, user="nobody_here"))


def test_a_database_that_does_not_exist(target: Target) -> None:
    assert "no database of that name" in refusal(database_but(target, path="/nowhere"))


def test_a_database_on_a_port_where_nothing_listens(target: Target, silent_port: int) -> None:
    assert "nothing listens there" in refusal(database_but(target, port=str(silent_port)))


def test_a_database_on_an_unknown_host(target: Target) -> None:
    assert "no host of that name" in refusal(database_but(target, host="database.invalid"))


def test_something_else_than_a_database(target: Target) -> None:
    app = urlsplit(target.host)
    assert "cannot be used" in refusal(database_but(target, port=str(app.port)))


@pytest.mark.parametrize("password", ["s3c/ret", "s3c#ret", "12345#ret", "s3c?ret"])
def test_a_password_that_is_not_written_as_a_url_asks_is_not_repeated(target: Target, password: str) -> None:
    said = refusal(database_but(target, password=password))
    assert "%23" in said
    assert not any(part in said for part in ("s3c", "ret", "12345"))


def test_a_database_without_the_apps_schema(target: Target, stage: RunningStage) -> None:
    with new_database(stage.database_url) as empty:
        assert "lacks the app's tables accounts, chats" in refusal(target.but(DATABASE_URL=empty))


@pytest.mark.parametrize("applied", [0, 1, 2])
def test_a_database_without_a_migration(target: Target, bare_database: str, applied: int) -> None:
    run_files(bare_database, MIGRATIONS[:applied])
    said = refusal(target.but(DATABASE_URL=bare_database))
    assert f"lacks migration {applied + 1:02}" in said
    assert "chatsoak migrate" in said


def test_a_table_that_was_taken_out_of_the_publication(target: Target, database: str) -> None:
    run(database, "alter publication supabase_realtime drop table public.chat_messages")
    assert "lacks migration 03" in refusal(target.but(DATABASE_URL=database))


def test_a_folder_for_reports_that_cannot_be_made(target: Target, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    said = refusal(target.but(CHATSOAK_REPORTS_DIR=str(tmp_path / "file" / "reports")))
    assert "CHATSOAK_REPORTS_DIR" in said


def test_a_folder_for_reports_that_cannot_be_written(target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir(mode=0o555)
    # No permission binds root; /proc takes no file from anybody.
    unwritable = "/proc" if os.geteuid() == 0 else str(folder)
    assert "cannot be written" in refusal(target.but(CHATSOAK_REPORTS_DIR=unwritable))


def test_people_of_an_earlier_run_with_another_password(target: Target) -> None:
    seeded = target.chatsoak("seed", "--people", "2", "--json")
    assert seeded.returncode == 0, seeded.stderr
    said = refusal(target.but(CHATSOAK_PASSWORD="a-new-password"))
    assert "CHATSOAK_PASSWORD" in said
    assert "a-new-password" not in said


def test_nothing_set_at_all(target: Target) -> None:
    done = Target(target.host, {}).chatsoak("doctor", "--host", target.host, "--env-file", "/nowhere/.env")
    assert done.returncode == 2
    assert "DATABASE_URL is not set" in done.stderr
    assert "/nowhere/.env does not exist" in done.stderr
