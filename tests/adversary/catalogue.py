"""All faults of chats, in the order of the table."""

from tests.adversary import in_database, in_transactions, on_the_socket, on_the_way  # noqa: F401 - they register
from tests.adversary.faults import FAULTS

__all__ = ["FAULTS"]
