"""What can go wrong between us and the target, told apart by what it means for an operation.

ClientError
├── NotSentError     nothing of the request left this machine: the server cannot have acted on it
├── NoAnswerError    the request, or a part of it, left, and no whole answer came: nobody knows
└── RealtimeError    the socket or a channel was refused, or is down
"""


class ClientError(Exception):
    """Root of the clients' errors."""


class NotSentError(ClientError):
    """Refused connection, unknown host: the outcome is `fail`."""


class NoAnswerError(ClientError):
    """Time-out, reset, cut answer: the outcome is `info`."""


class RealtimeError(ClientError):
    """The words of Realtime's refusal, or why the socket is down."""
