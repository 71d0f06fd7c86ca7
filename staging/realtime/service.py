"""Supabase Realtime in one object: its routes, and the tasks that run beside the server."""

import asyncio
from collections.abc import Callable

from starlette.routing import BaseRoute, Route, WebSocketRoute

from staging.realtime.broadcasting import broadcast_endpoint
from staging.realtime.channel import Services
from staging.realtime.feed import Feed
from staging.realtime.hub import Hub, OpenSocket
from staging.realtime.registrar import Registrar
from staging.realtime.socket import CLOSE_NORMAL, SocketEndpoint
from staging.stage import Stage

__all__ = ["Realtime"]


class Realtime:
    """Realtime over a stage. Mount `routes`, and keep `run` running."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._hub = Hub()
        self._registrar = Registrar(stage.dsn)
        self._services = Services(self._hub, self._registrar, stage.tokens, stage.faults)

    def routes(self) -> list[BaseRoute]:
        """Under the hosted path, and under that of a bare server."""
        endpoint = SocketEndpoint(self._services)
        broadcast = broadcast_endpoint(self._services)
        return [
            WebSocketRoute("/realtime/v1/websocket", endpoint),
            WebSocketRoute("/socket/websocket", endpoint),
            Route("/realtime/v1/api/broadcast", broadcast, methods=["POST"]),
            Route("/api/broadcast", broadcast, methods=["POST"]),
        ]

    async def run(self) -> None:
        """Feed the subscribers, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(Feed(self._stage.dsn, self._hub, self._stage.faults).run())
                self._start_fault(tasks, "realtime_cut_every_s", lambda socket: socket.cut())
                self._start_fault(tasks, "realtime_close_every_s", lambda socket: socket.close(CLOSE_NORMAL))
        finally:
            await self._registrar.close()

    def _start_fault(self, tasks: asyncio.TaskGroup, name: str, end: Callable[[OpenSocket], None]) -> None:
        if self._stage.faults.is_on(name):
            tasks.create_task(self._every(self._stage.faults.value(name), end))

    async def _every(self, seconds: float, end: Callable[[OpenSocket], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            for socket in list(self._hub.sockets):
                end(socket)
