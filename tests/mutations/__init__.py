"""Small mistakes that somebody could make in the checkers, one line each. See tests/mutate.py."""

from tests.mutations.delivery import DELIVERY
from tests.mutations.figures import FIGURES
from tests.mutations.messages import MESSAGES
from tests.mutations.mutation import Mutation
from tests.mutations.statuses import STATUSES
from tests.mutations.tool import TOOL

__all__ = ["MUTATIONS", "Mutation"]

MUTATIONS: list[Mutation] = [*MESSAGES, *DELIVERY, *STATUSES, *FIGURES, *TOOL]
