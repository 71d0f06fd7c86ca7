"""What users speak through: HTTP and Realtime under gevent, cheap enough to outrun the server. Docs in the modules.

Nothing here imports Locust or needs monkey-patching: what Locust is to be told goes through `Ledger`.
"""

from locustfiles.clients.auth import AuthClient, SignInError
from locustfiles.clients.events import Row
from locustfiles.clients.http import Answer, HttpClient
from locustfiles.clients.interfaces import Stored
from locustfiles.clients.ledger import Ledger, RequestFailedError
from locustfiles.clients.messages import Mark, MessagesClient, Page, SendResult
from locustfiles.clients.realtime import RealtimeSocket
from locustfiles.clients.session import Session
from locustfiles.clients.websocket import RealtimeError

__all__ = [
    "Answer",
    "AuthClient",
    "HttpClient",
    "Ledger",
    "Mark",
    "MessagesClient",
    "Page",
    "RealtimeError",
    "RealtimeSocket",
    "RequestFailedError",
    "Row",
    "SendResult",
    "Session",
    "SignInError",
    "Stored",
]
