"""Promise: a client that leaves while its subscription is checked leaves no broken connection and no noise behind."""

import asyncio
import gc
from typing import Any

import pytest

from staging.realtime.binding import Binding
from staging.realtime.credentials import Credentials
from staging.realtime.registrar import NotSubscribedError, Registrar
from tests.staging.stages import RunningStage


class Nobody:
    """A receiver to which nothing comes."""

    def deliver(self, kind: str, ids: tuple[int, ...], data: bytes) -> None:
        raise AssertionError((kind, ids, data))


def test_a_refusal_that_nobody_waits_for_any_more_is_no_error(stage: RunningStage) -> None:
    refused = [Binding(1, frozenset({"INSERT"}), "public", "no_such_table")]
    anon = Credentials("", {"role": "anon"}, 0)
    unhandled: list[dict[str, Any]] = []

    async def leave_in_the_midst() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        registrar = Registrar(stage.database_url)
        asking = asyncio.create_task(registrar.check(Nobody(), anon, refused))
        await asyncio.sleep(0)  # it has asked
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        with pytest.raises(NotSubscribedError, match="check Realtime is enabled"):  # after it: one at a time
            await registrar.check(Nobody(), anon, refused)
        gc.collect()
        await registrar.close()

    asyncio.run(leave_in_the_midst())
    assert not unhandled
