"""What the monitor saw of the server, a row of the record a step: the part of `tests.analysis.histories` beside the rows."""

from tests.analysis.load_steps import LoadSteps, ns

GUIDES_INDEX = "idx_chat_messages_chat_id_seq_desc"
UNIQUE_INDEX = "uq_chat_messages_chat_id_seq"


class ServerSteps(LoadSteps):
    """The server in good order, unless a test says otherwise."""

    def gauge(self, name: str, at: float, value: float) -> None:
        """A figure of the server."""
        self.rows["gauges"].append((ns(at), name, value))

    def wait(
        self,
        at: float,
        *,
        waiting: int = 1,
        blocking: int = 2,
        waited_ms: float = 100.0,
        statement: str = "update chats set name = ?",
    ) -> None:
        """A session waits for another one."""
        lock = ("transactionid ShareLock", None)
        blocker = ("psql", "idle in transaction", "select ?")
        self.rows["waits"].append((ns(at), waiting, blocking, waited_ms, *lock, "app", statement, *blocker))

    def statement(
        self,
        at: float,
        key: str,
        calls: int,
        total_ms: float,
        *,
        query: str | None = None,
        reset_us: int | None = 1,
    ) -> None:
        """The counters of a statement."""
        self.rows["statements"].append((ns(at), key, query, calls, total_ms, calls, 10, 1, 100.0, reset_us))

    def leave_out(self, part: str, why: str, at: float = 0.0) -> None:
        """Something of the server could not be read."""
        self.rows["left_out"].append((ns(at), part, why, True))

    def index(
        self, name: str = GUIDES_INDEX, leads: str = "chat_id, seq DESC", *, usable: bool = True
    ) -> None:
        """An index of chat_messages."""
        definition = f"CREATE INDEX {name} ON public.chat_messages USING btree ({leads})"
        self.rows["indexes"].append((ns(101), name, definition, leads, usable))

    def plan(
        self,
        execution_ms: float | None = 0.2,
        *,
        chat: int = 0,
        forced: bool = False,
        rows_read: int = 50,
        node: str = "Index Scan",
        index: str | None = GUIDES_INDEX,
        is_sorted: bool = False,
        error: str | None = None,
    ) -> None:
        """How the history query ran once."""
        what = (
            (None, None, None, None, None, None) if error else (50, rows_read, node, index, is_sorted, "{}")
        )
        self.rows["plans"].append(
            (
                ns(101),
                self.chat_id(chat).bytes,
                1000,
                forced,
                None if error or forced else execution_ms,
                *what,
                error,
            )
        )

    def serve_history(self, chat: int = 0) -> None:
        """The history query reads by the guide's index, and quickly."""
        self.index()
        self.index(UNIQUE_INDEX, "chat_id, seq")
        self.plan(chat=chat, forced=True)
        for _ in range(5):
            self.plan(chat=chat)
