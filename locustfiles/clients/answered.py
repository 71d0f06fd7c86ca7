"""What the server's answers said of the messages that load processes sent: the word of another witness than the events. Pure."""

from typing import Final

GENERATION: Final = 5_000  # answers that are remembered: this many, and the ones before


class Answered:
    """Acknowledged messages, the newest of them."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, int]] = {}  # by message id: its chat and seq
        self._told_before: dict[str, tuple[str, int]] = {}

    def note(self, message_id: str, chat_id: str, seq: int) -> None:
        """An answer said so of a message that was sent into `chat_id`."""
        if len(self._told) >= GENERATION:
            self._told_before, self._told = self._told, {}
        self._told[message_id] = chat_id, seq

    def of(self, message_id: str) -> tuple[str, int] | None:
        """Chat and seq of a message; None when no answer that is still remembered told of it."""
        return self._told.get(message_id) or self._told_before.get(message_id)

    def told(self, message_id: str | None, chat_id: str | None, seq: int | None) -> bool:
        """Whether an answer that is still remembered said just that."""
        return message_id is not None and self.of(message_id) == (chat_id, seq)
