"""Faults on pages of history."""

from hypothesis import strategies as st

from analysis.record.codes import Outcome
from tests.analysis.checks.plants.planting import (
    Planted,
    found,
    pick,
    plant,
)
from tests.analysis.checks.worlds import (
    Page,
    Truth,
    World,
)


def settled(world: World, page: Page) -> list[Truth]:
    """Messages of the run on a page that were acknowledged before it was asked for."""
    told = {
        send[2] for send in world.history.rows["sends"] if send[7] is Outcome.OK and send[6] < _ns(page.at)
    }
    return [row for row in page.rows if row.ours and row.message.client_id.bytes in told]


def _ns(at: float) -> int:
    return 5_000_000_000_000 + round(at * 1e9)


@plant
def a_page_leaves_a_message_out(world: World, data: st.DataObject) -> Planted:
    page = pick(data, [page for page in world.pages if settled(world, page)])
    row = pick(data, settled(world, page))
    page.rows = [other for other in page.rows if other is not row]
    return found("history.pages", row)


@plant
def a_page_holds_a_message_twice(world: World, data: st.DataObject) -> Planted:
    page = pick(data, [page for page in world.pages if any(row.ours for row in page.rows)])
    row = pick(data, [row for row in page.rows if row.ours])
    page.rows = [one for other in page.rows for one in ([other, other] if other is row else [other])]
    return found("history.pages", row)


@plant
def a_page_is_out_of_order(world: World, data: st.DataObject) -> Planted:
    page = pick(
        data, [page for page in world.pages if len(page.rows) > 2 and all(row.ours for row in page.rows)]
    )
    page.rows = [page.rows[1], page.rows[0], *page.rows[2:]]
    return found("history.pages", page.rows[1])
