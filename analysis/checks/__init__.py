"""The checkers: pure functions from what was recorded to findings. `audit` runs them all."""

from analysis.checks.suite import Audit, audit

__all__ = ["Audit", "audit"]
