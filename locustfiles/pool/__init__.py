"""The people and chats of a run, and which of them are this load process's to play."""

from locustfiles.pool.pool import Pool

__all__ = ["Pool"]
