"""What a person's device remembers of its chats. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class ChatMemory:
    """One chat on one device. All are seq values; 0 = nothing yet.

    Attributes:
        seen: newest message known, whoever sent it: by an event, or read after a reconnect.
        theirs: newest message of somebody else.
        looked: newest message of somebody else at the last look.
    """

    seen: int = 0
    theirs: int = 0
    looked: int = 0

    def note(self, seq: int, *, own: bool) -> None:
        """A message with `seq` is on the device now."""
        self.seen = max(self.seen, seq)
        if not own:
            self.theirs = max(self.theirs, seq)

    @property
    def unread(self) -> bool:
        """Whether somebody wrote since the last look."""
        return self.theirs > self.looked

    def look(self) -> int:
        """Look at the chat; returns the newest message that is read by that."""
        self.looked = self.theirs
        return self.seen
