"""Who uses the chat during a soak, and what they do. Run it with ``locust -f locustfiles/chat.py``.

Change it as you would any locustfile: the verbs (`write`, `scroll_back`, …) come from `ChatUser`, which keeps
the record and stops in good order. How often things happen is set by ``CHATSOAK_…`` (docs/settings.md), how
many people there are by Locust's own ``--users``, ``--spawn-rate`` and ``--run-time``.
"""

from locust import task

from locustfiles.life import ChatUser, Incoming
from locustfiles.run import hooks
from locustfiles.run.load import ATTEMPTS_SHARE

__all__ = ["Member", "hooks"]


class Member(ChatUser):
    """Somebody with the app open: in a few direct chats, in some groups, and in one that never sleeps."""

    def on_start(self) -> None:
        """They open the app."""
        self.sign_in()
        self.go_online()  # returns when the server has confirmed every chat: only then are messages promised

    @task
    def use_the_app(self) -> None:
        """Mostly they write. Now and then they look something up, and sometimes the train enters a tunnel."""
        if self.is_outsider and self.happens(ATTEMPTS_SHARE):
            self.trespass()  # read, write, listen or acknowledge where they may not
        elif self.happens(self.settings.chatsoak_reconnect_share):
            self.lose_connection()  # comes back by itself, and reads what was written meanwhile
        elif self.happens(self.settings.chatsoak_history_share):
            chat = self.pick_chat()
            self.look_at(chat)
            self.scroll_back(chat)
        else:
            chat = self.pick_chat()
            self.look_at(chat)
            self.write(chat, self.some_text())  # sometimes sent twice, as after a time-out

    def on_message(self, message: Incoming) -> None:
        """Somebody wrote: the app acknowledges it in the background; reading it needs a look."""
        self.acknowledge(message)
