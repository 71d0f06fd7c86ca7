"""Faults, one function each: it plants a fault into a world, and answers what must be found there, and nothing else."""

from tests.analysis.checks.plants import access, history, messages, realtime, seq, status  # noqa: F401 - they register
from tests.analysis.checks.plants.planting import PLANTS, Plant

__all__ = ["PLANTS", "Plant"]
