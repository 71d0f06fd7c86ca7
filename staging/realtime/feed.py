"""The feed: reads the replication slot, asks row level security, and hands each change to those who may see it.

It stands for the poller of Supabase Realtime. Changes come in commit order, and leave in it. When the slot is lost
(PostgreSQL restarts, the connection breaks) the feed opens another one, and every subscription is made anew, which its
client is told by another `system` message: what was committed in between is not delivered.
"""

import asyncio
import logging
from collections import defaultdict
from contextlib import AsyncExitStack

import asyncpg

from staging.faults import Faults
from staging.realtime.changes import Change, Changes
from staging.realtime.fanout import Fanout
from staging.realtime.hub import Hub
from staging.realtime.payloads import Facts, refusal
from staging.realtime.pgoutput import MalformedMessageError
from staging.realtime.slot import MAX_MESSAGES, Ask, Slot, key_of, open_slot
from staging.realtime.subscriptions import Subscription

__all__ = ["Feed"]

log = logging.getLogger(__name__)

POLL_MS = 50
RETRY_S = 0.5
# Supabase looks at its publication as often.
PUBLICATION_CHECK_S = 60.0

# A table's oid, a role, its claims, and the primary key of a row that they may see.
Seen = tuple[int, str, str, tuple[str, ...]]

# The database is gone, or refuses: the slot is lost either way.
# InternalClientError is how asyncpg reports that the server hung up between two calls.
LOST = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    MalformedMessageError,
)


class Feed:
    """Reads until it is cancelled."""

    def __init__(self, dsn: str, hub: Hub, faults: Faults) -> None:
        self._dsn = dsn
        self._hub = hub
        self._faults = faults
        self._fanout = Fanout(faults)

    async def run(self) -> None:
        """Keep a slot open and feed from it."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    slot = await stack.enter_async_context(open_slot(self._dsn))
                    stack.callback(self._hub.feed_ready.clear)
                    self._hub.feed_ready.set()
                    self._hub.resubscribe()
                    await self._read(slot)
            except LOST as error:
                log.warning(
                    "realtime: the slot is lost, opening another: %s: %s", type(error).__name__, error
                )
            await asyncio.sleep(RETRY_S)

    async def _read(self, slot: Slot) -> None:
        loop = asyncio.get_running_loop()
        pause_s = self._faults.value("realtime_poll_ms", POLL_MS) / 1000
        changes = Changes()
        published = await slot.published()
        check_at_s = loop.time() + PUBLICATION_CHECK_S
        while True:
            messages = await slot.read()
            batch = changes.read(messages)
            if batch:
                await self._deliver(slot, batch)
            if loop.time() >= check_at_s:
                check_at_s = loop.time() + PUBLICATION_CHECK_S
                before, published = published, await slot.published()
                if before != published:
                    self._hub.resubscribe()
            # Only what was cut off is fetched at once: one look for each message of a busy chat would cost more.
            await asyncio.sleep(0 if len(messages) >= MAX_MESSAGES else pause_s)

    async def _deliver(self, slot: Slot, batch: list[Change]) -> None:
        concerned = [(change, self._hub.subscriptions.concerned(change)) for change in batch]
        concerned = [(change, subscriptions) for change, subscriptions in concerned if subscriptions]
        if not concerned:
            return
        roles = self._hub.subscriptions.roles
        # Asked each time: grants and row level security may change in the midst of a run.
        facts = {
            oid: await slot.facts(oid, roles) for oid in {change.relation.oid for change, _ in concerned}
        }
        concerned = [(change, subs) for change, subs in concerned if facts[change.relation.oid].columns]
        visible = await self._visible(slot, facts, concerned)
        for change, subscriptions in concerned:
            known = facts[change.relation.oid]
            receivers = [s for s in subscriptions if self._may_see(known, change, s, visible)]
            if receivers:
                self._fanout.deliver(change, known, receivers)

    async def _visible(
        self, slot: Slot, facts: dict[int, Facts], concerned: list[tuple[Change, list[Subscription]]]
    ) -> set[Seen]:
        """Ask the database, in one call a table, for every row and everybody it concerns."""
        asked: dict[int, dict[tuple[str, str], dict[tuple[str, ...], None]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        for change, subscriptions in concerned:
            oid = change.relation.oid
            if not _is_guarded(facts[oid], change):
                continue
            key = key_of(facts[oid], change.new)
            for subscription in subscriptions:
                if key is not None and refusal(facts[oid], change, subscription.role) is None:
                    asked[oid][subscription.role, subscription.claims][key] = None
        visible: set[Seen] = set()
        for oid, of_table in asked.items():
            asks = [Ask(role, claims, list(rows)) for (role, claims), rows in of_table.items()]
            for ask, seen in zip(asks, await slot.visible(oid, facts[oid], asks), strict=True):
                visible.update((oid, ask.role, ask.claims, key) for key in seen)
        return visible

    def _may_see(self, facts: Facts, change: Change, subscription: Subscription, visible: set[Seen]) -> bool:
        if not _is_guarded(facts, change) or refusal(facts, change, subscription.role) is not None:
            return True
        key = key_of(facts, change.new)
        if key is not None and (change.relation.oid, subscription.role, subscription.claims, key) in visible:
            return True
        return self._faults.hit("realtime_open")


def _is_guarded(facts: Facts, change: Change) -> bool:
    """Whether row level security decides who is told. Of a deleted row it cannot be asked."""
    return facts.has_rls and change.kind != "DELETE"
