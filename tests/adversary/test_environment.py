"""Promise: a fault of the whole environment is noticed by exactly the criteria that it breaks; a nuisance by none."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
import pytest

from analysis.evidence import read_evidence
from tests.adversary import expectations
from tests.adversary.environment import RUNS, EnvironmentFault
from tests.adversary.faults import Adversary
from tests.adversary.proxy import Proxy
from tests.adversary.server_truth import Told
from tests.adversary.whole_runs import clean_but, settings_for
from tests.analysis.targets import run
from tests.locustfiles.soaks import Soak
from tests.staging.stages import RunningStage, running_stage

pytestmark = pytest.mark.long

LOAD = ("--users", "12", "--spawn-rate", "12")


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    """Its database is shared by all runs, and may be spoilt."""
    with running_stage() as running:
        yield running


@pytest.mark.parametrize("faults", RUNS, ids=lambda faults: "+".join(fault.name for fault in faults))
def test_exactly_its_criteria_notice(
    own: RunningStage, tmp_path: Path, faults: tuple[EnvironmentFault, ...]
) -> None:
    observer = Adversary()
    settings = {name: value for fault in faults for name, value in fault.settings.items()}
    load_s = max(fault.load_s for fault in faults)
    with ExitStack() as stack:
        kinds = [kind for fault in faults for kind in fault.stage]
        stage = stack.enter_context(running_stage(*kinds, database_url=own.database_url))
        proxy = stack.enter_context(Proxy(stage.app_url, observer))
        stack.callback(run, own.database_url, *(statement for fault in faults for statement in fault.after))
        run(own.database_url, *(statement for fault in faults for statement in fault.before))
        environment = settings_for(stage, **settings) | {"NEXT_PUBLIC_SUPABASE_URL": proxy.url}
        options = ("--host", proxy.url, *LOAD, "--run-time", f"{load_s}s")
        soak = stack.enter_context(Soak(tmp_path, *options, environment=environment))
        soak.wait_until("the run is prepared", lambda: bool(soak.chats()))
        if any(fault.forgotten for fault in faults):
            stack.enter_context(forgotten_transaction(own.database_url))
        run(own.database_url, *(statement for fault in faults for statement in fault.prepared))
        soak.wait_for_load()
        run(own.database_url, *(statement for fault in faults for statement in fault.during))
        ended = soak.end()
        folder = (soak.reports / "latest").resolve()
        told = Told(own, read_evidence(folder), observer.truth, observer.intruders)
        expected = [_expected(faults, told)]
    assert proxy.errors == []
    assert [fault.name for fault in faults if not fault.acted(told)] == []
    broken = {criterion for fault in faults for criterion in fault.breaks}
    clean_but(ended, broken)
    expectations.write(folder, dict.fromkeys(sorted(broken), "fail"), expected)
    assert expectations.mistakes(folder, ended.verdict, expected) == {}


@contextmanager
def forgotten_transaction(database_url: str) -> Iterator[None]:
    """A transaction that has looked at something, and stays open."""
    with asyncio.Runner() as runner:
        connection = runner.run(_begin(database_url))
        try:
            yield
        finally:
            runner.run(connection.close())


async def _begin(database_url: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(database_url)
    await connection.execute("begin isolation level repeatable read; select from public.chats limit 1")
    return connection


def _expected(faults: tuple[EnvironmentFault, ...], told: Told) -> dict[str, object]:
    """What they call for together: two that break the same criterion say the same of it."""
    said = [name(told) for name in dict.fromkeys(fault.named for fault in faults)]
    named = {criterion: names for one in said for criterion, names in one.named.items()}
    may_be_named = {criterion: names for one in said for criterion, names in one.may_be_named.items()}
    name = "+".join(fault.name for fault in faults)
    breaks = {criterion for fault in faults for criterion in fault.breaks}
    return expectations.expected(name, None, breaks, named, may_be_named)
