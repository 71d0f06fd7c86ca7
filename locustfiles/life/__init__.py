"""The life of one user: signed in, online, receiving, acknowledging, away, back again, and at last drained."""

from locustfiles.life.device import Incoming
from locustfiles.life.user import ChatUser

__all__ = ["ChatUser", "Incoming"]
