"""The official JavaScript client under Node, against the embedded staging environment: the suite in node/."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.staging.stages import PASSWORD, RunningStage

SUITE = Path(__file__).parent / "node"
PUBLIC_REGISTRY = "https://registry.npmjs.org/"


def node() -> str:
    """The path of Node, of a version that the client and the options below need."""
    path = shutil.which("node")
    if path is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not on this machine; .ci/run installs them")
    version = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if tuple(map(int, version.removeprefix("v").split("."))) < (20, 14, 0):
        pytest.skip(f"the suite needs Node 20.14 or later; this machine has {version}")
    return path


def install() -> None:
    """Install what package-lock.json names, unless it is there."""
    installed = SUITE / "node_modules" / ".package-lock.json"
    lock = SUITE / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    done = subprocess.run(["npm", "ci"], cwd=SUITE, capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, f"npm ci failed:\n{done.stdout}{done.stderr}"
    installed.touch()


def test_the_lock_file_names_no_registry_but_the_public_one() -> None:
    packages = json.loads((SUITE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    places = [package["resolved"] for package in packages.values() if "resolved" in package]
    assert [place for place in places if not place.startswith(PUBLIC_REGISTRY)] == []


def test_the_official_client_works_as_on_supabase(stage: RunningStage) -> None:
    runner = node()
    install()
    ann, ben, outsider = stage.person(), stage.person(), stage.person()
    cast = {
        "password": PASSWORD,
        "people": [ann.email, ben.email, outsider.email],
        "chat_id": stage.chat(ann, ben),
        "other_chat_id": stage.chat(ann, ben, outsider),
    }
    environment = {
        **os.environ,
        "SUPABASE_URL": stage.supabase_url,
        "SUPABASE_ANON_KEY": stage.anon_key,
        "CAST": json.dumps(cast),
    }
    done = subprocess.run(
        # The client keeps a timer of 10 s for each token it has sent, to which Supabase never answers.
        [runner, "--test", "--test-force-exit", "--test-reporter=spec", "supabase.test.mjs"],
        cwd=SUITE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 8" in done.stdout, done.stdout
