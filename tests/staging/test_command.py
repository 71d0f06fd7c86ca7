"""`python -m staging`, which `chatsoak stage` runs: what it prints, writes, refuses, and leaves behind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from staging.faults import DECLARED
from tests.staging.stages import ROOT, RunningStage

STAGE = [sys.executable, "-m", "staging"]
WAIT_S = 20.0
OWNER_ONLY = 0o600

# A parent that starts a stage, hands its ready line on, and then does nothing at all until it is killed.
PARENT = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "staging", "--json"], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline(), end="", flush=True)
signal.pause()
"""


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until it holds. Bounded."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never came to hold: {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def started(*command: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process, and the first line it printed; killed afterwards, should it still run."""
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.wait(WAIT_S)
        process.stdout.close()


def family(pid: int) -> list[psutil.Process]:
    """The process and all that it has started."""
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def data_directories(processes: list[psutil.Process]) -> list[Path]:
    """Where the PostgreSQL among these processes keeps its data."""
    return [
        Path(line[line.index("-D") + 1])
        for line in (process.cmdline() for process in processes)
        if "-D" in line and Path(line[0]).name == "postgres"
    ]


def refusal(*arguments: str, **environment: str) -> str:
    """What the stage says when it does not start; one sentence on stderr and nothing else."""
    ended = subprocess.run(
        [*STAGE, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    words = [line for line in ended.stderr.splitlines() if not line.startswith("stage: ")]
    assert len(words) == 1, ended.stderr
    return words[0].removeprefix("chatsoak stage: ")


@pytest.fixture
def public_path() -> Iterator[Path]:
    """A folder that everybody may enter: started by root, PostgreSQL runs as somebody else."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_the_ready_line_and_the_env_file_describe_a_stage_that_serves(tmp_path: Path) -> None:
    file = tmp_path / ".env.staging"
    earlier = "# The embedded staging environment at http://127.0.0.1:1, written by chatsoak stage.\n"
    file.write_text(earlier + "readable=by all\n", encoding="utf-8")
    file.chmod(0o644)
    with started(*STAGE, "--json", "--env-file", str(file)) as (process, line):
        ready = json.loads(line)
        assert list(ready) == [
            "app_url",
            "supabase_url",
            "anon_key",
            "service_role_key",
            "database_url",
            "pid",
        ]
        assert ready["pid"] == process.pid
        assert file.stat().st_mode & 0o777 == OWNER_ONLY
        assert dict(
            line.split("=", 1)
            for line in file.read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
        ) == {
            "NEXT_PUBLIC_SUPABASE_URL": ready["supabase_url"],
            "NEXT_PUBLIC_SUPABASE_ANON_KEY": ready["anon_key"],
            "SUPABASE_SERVICE_ROLE_KEY": ready["service_role_key"],
            "DATABASE_URL": ready["database_url"],
        }
        health = httpx.get(f"{ready['supabase_url']}/auth/v1/health")
        assert (health.status_code, health.json()["name"]) == (200, "GoTrue")

        processes = family(process.pid)
        (data,) = data_directories(processes)
        secrets = [ready["service_role_key"], ready["database_url"].split(":")[2].split("@")[0]]
        for argument in (word for one in processes for word in one.cmdline()):
            assert not any(secret in argument for secret in secrets), "a process list shows a secret"
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == 0
        assert not data.parent.exists()
        assert not any(one.is_running() for one in processes)


def test_it_is_gone_without_a_trace_when_its_parent_is_killed() -> None:
    with started(sys.executable, "-c", PARENT) as (parent, line):
        processes = family(json.loads(line)["pid"])
        (data,) = data_directories(processes)
        assert data.is_relative_to(tempfile.gettempdir())
        parent.kill()
        eventually(lambda: not any(one.is_running() for one in processes), "no process is left")
        assert not data.parent.exists()


def test_it_serves_on_and_ends_in_order_when_nobody_reads_what_it_says(tmp_path: Path) -> None:
    env_file = tmp_path / ".env.staging"
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [*STAGE, "--json", "--env-file", str(env_file)], cwd=ROOT, stdout=writing, stderr=writing
    )
    try:
        os.close(writing)
        eventually(lambda: env_file.exists() and "DATABASE_URL" in env_file.read_text(), "it is ready")
        url = env_file.read_text().partition("NEXT_PUBLIC_SUPABASE_URL=")[2].split()[0]
        assert (
            httpx.get(f"{url}/auth/v1/health", timeout=WAIT_S).status_code < httpx.codes.INTERNAL_SERVER_ERROR
        )
        processes = family(process.pid)
        process.terminate()
        assert process.wait(WAIT_S) == 0
        assert not any(one.is_running() for one in processes)
    finally:
        process.kill()
        process.wait(WAIT_S)


@pytest.mark.parametrize("closed", ["2>&-", ">&-"])
def test_a_stream_that_is_closed_is_not_printed_to(closed: str, tmp_path: Path) -> None:
    env_file = tmp_path / ".env.staging"
    stage = ("sh", *STAGE, "--json", "--env-file", str(env_file))
    with started("/bin/sh", "-c", f'exec "$@" {closed}', *stage) as (process, line):
        eventually(lambda: env_file.exists() and "DATABASE_URL" in env_file.read_text(), "it is ready")
        assert bool(line) == (closed == "2>&-")
        process.terminate()
        assert process.wait(WAIT_S) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_a_ready_line_that_cannot_be_written_is_one_clear_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*STAGE, "--json"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == (
        "chatsoak stage: What was to be printed cannot be written: No space left on device. Print it somewhere else."
    )


def test_its_database_is_gone_when_it_is_killed_itself() -> None:
    with started(*STAGE, "--json") as (process, _):
        processes = family(process.pid)
        (data,) = data_directories(processes)
        process.kill()
        process.wait(WAIT_S)
        eventually(lambda: not any(one.is_running() for one in processes), "no process is left")
        assert not data.parent.exists()


def test_data_that_is_kept_comes_back_with_its_people_and_their_tokens(public_path: Path) -> None:
    kept = ["--json", "--data", str(public_path / "kept")]
    with started(*STAGE, *kept) as (process, line):
        before = RunningStage(**json.loads(line))
        person = before.person()
        process.terminate()
        assert process.wait(WAIT_S) == 0
    with started(*STAGE, *kept) as (process, line):
        after = RunningStage(**json.loads(line))
        assert (after.anon_key, after.service_role_key) == (before.anon_key, before.service_role_key)
        answer = httpx.get(
            f"{after.supabase_url}/rest/v1/accounts",
            params={"select": "id"},
            headers={"apikey": before.anon_key, "Authorization": f"Bearer {person.token}"},
        )
        assert answer.json() == [{"id": person.id}]
        process.terminate()
        assert process.wait(WAIT_S) == 0
    assert (public_path / "kept" / "jwt-secret").stat().st_mode & 0o777 == OWNER_ONLY


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("no_such_fault=1", "Fault no_such_fault=1: expected NAME=VALUE with one of these names: .*lost_ack_rate.*"),
        ("lost_ack_rate", r"Fault lost_ack_rate: it has no value; expected lost_ack_rate=VALUE \(share\)\."),
        ("lost_ack_rate=often", r"Fault lost_ack_rate: expected a number \(share\), found 'often'\."),
        ("lost_ack_rate=1.5", r"Fault lost_ack_rate: expected a share from 0 to 1, found 1\.5\."),
        ("latency_ms=-1", r"Fault latency_ms: expected 0 or more \(ms\), found -1\."),
        ("latency_ms=nan", r"Fault latency_ms: expected 0 or more \(ms\), found nan\."),
        ("latency_ms=inf", r"Fault latency_ms: expected 0 or more \(ms\), found inf\."),
    ],
)  # fmt: skip
def test_a_wrong_fault_is_one_clear_sentence(fault: str, sentence: str) -> None:
    assert re.fullmatch(sentence, refusal("--fault", fault))


def test_whatever_else_prevents_a_start_is_one_clear_sentence(stage: RunningStage, tmp_path: Path) -> None:
    taken = stage.app_url.rpartition(":")[2]
    assert re.fullmatch(
        f"--port {taken}: it cannot be taken on .*; choose another one.*", refusal("--port", taken)
    )
    assert refusal("--port", "70000").startswith("--port 70000: it cannot be taken on 127.0.0.1")
    file = tmp_path / "a file"
    file.touch()
    assert refusal("--data", str(file)).startswith(f"--data {file}: expected a folder that can be written")
    if os.geteuid() == 0:  # nobody else is kept out of a folder of their own
        private = tmp_path / "private"
        private.mkdir(0o700)
        said = refusal("--data", str(private / "kept"))
        assert said.endswith("As root, PostgreSQL runs as nobody, who must be able to reach that folder.")
    unwritable = tmp_path / "no such folder" / ".env.staging"
    assert "it cannot be written" in refusal("--env-file", str(unwritable))
    closed = {"CHATSOAK_STAGE_DATABASE_URL": "postgresql://postgres:hush@127.0.0.1:1/postgres"}
    said = refusal(**closed)
    assert said.startswith("--database-url: the database does not let us in")
    assert "hush" not in said


def test_a_folder_with_somebody_s_files_is_left_as_it_was(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(0o755)
    (theirs / "thesis.tex").touch()
    before = theirs.stat()
    said = refusal("--data", str(theirs))
    assert said.startswith(
        f"--data {theirs}: expected a folder that chatsoak stage has made, or an empty one"
    )
    after = theirs.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert [path.name for path in theirs.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", [".env.local", "notes"])
def test_an_env_file_of_somebody_else_is_left_as_it_was(tmp_path: Path, name: str) -> None:
    theirs = tmp_path / name
    theirs.write_text("SUPABASE_SERVICE_ROLE_KEY=the only copy\n", encoding="utf-8")
    assert "or one that chatsoak stage has written, and this one is neither" in refusal(
        "--env-file", str(theirs)
    )
    assert theirs.read_text(encoding="utf-8") == "SUPABASE_SERVICE_ROLE_KEY=the only copy\n"


def test_an_empty_env_file_is_filled(tmp_path: Path) -> None:
    file = tmp_path / "made by mktemp"
    file.touch()
    with started(*STAGE, "--json", "--env-file", str(file)) as (_, line):
        assert json.loads(line)["service_role_key"] in file.read_text(encoding="utf-8")


def test_help_names_every_fault() -> None:
    told = subprocess.run([*STAGE, "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for fault in DECLARED:
        assert f"{fault.meaning} ({fault.unit})" in told
