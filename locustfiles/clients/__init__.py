"""What users speak through: HTTP and Realtime under gevent, cheap enough to outrun the server. Docs in the modules."""

from locustfiles.clients.auth import AuthClient, SignInError
from locustfiles.clients.http import Answer, HttpClient
from locustfiles.clients.interfaces import Stored
from locustfiles.clients.ledger import Ledger, RequestFailedError
from locustfiles.clients.messages import Mark, MessagesClient, Page, SendResult
from locustfiles.clients.session import Session

__all__ = [
    "Answer",
    "AuthClient",
    "HttpClient",
    "Ledger",
    "Mark",
    "MessagesClient",
    "Page",
    "RequestFailedError",
    "SendResult",
    "Session",
    "SignInError",
    "Stored",
]
