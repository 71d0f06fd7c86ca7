"""What people write: realistic lengths and scripts, each text unique within a run."""

from locustfiles.texts.compose import Texts

__all__ = ["Texts"]
