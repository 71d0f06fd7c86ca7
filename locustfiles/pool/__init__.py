"""The people and chats of a run, and which of them are this load process's to play."""

from locustfiles.pool.pool import Circle, Pool

__all__ = ["Circle", "Pool"]
