"""All faults of chats, in the order of the table."""

from tests.adversary import (  # noqa: F401 - they register
    in_database,
    in_departures,
    in_history,
    in_receipts,
    in_repairs,
    in_transactions,
    in_triggers,
    on_repeats,
    on_the_socket,
    on_the_way,
)
from tests.adversary.faults import FAULTS

__all__ = ["FAULTS"]
