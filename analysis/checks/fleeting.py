"""Messages that no look at the database saw, and nobody is to blame for that.

They may have come and gone between two looks: those of people who are no users of the run, and may delete what they write; or the
run's own, of a send without a clear answer. Or they came after the last look, of a load process that was killed, or could not write down
what it sent. An event or a page of history that shows one proves neither that it was there nor that it was invented.
"""

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.clocks import Clocks
from analysis.identifiers import NONE
from analysis.record.codes import EventType, Outcome


class Fleeting:
    """Tells which messages of one account may have been of this kind. Only of such as no look saw and no answer named."""

    def __init__(self, account: Account) -> None:
        self._account = account
        evidence, operations = account.evidence, account.operations
        self._stranger = np.ones(len(evidence.people) + 1, np.bool_)
        self._stranger[evidence.participants["user_id"].to_numpy()] = False
        self._stranger[evidence.sends["user_id"].to_numpy()] = False
        self._stranger[NONE] = False
        unclear = (operations["outcome"] == Outcome.INFO) & (operations["rows_seen"] == 0)
        self._unclear = operations.loc[unclear, ["chat_id", "user_id", "text_crc32"]]
        self._has_all_sends = all(
            part.process is not None and part.process.closed and not part.lost_rows_of("sends")
            for part in evidence.parts
        )

    def events(self, positions: Ints) -> Bools:
        """Which of these events may show one; what they tell of a text is the text of the send."""
        shown = self._account.evidence.events.iloc[positions]
        textless = shown["text_crc32"].to_numpy() == NULL
        mine = self._is_mine(shown, "chat_id", "sender_id", "text_crc32")
        mine |= textless & self._is_mine(shown, "chat_id", "sender_id")
        may: Bools = self._stranger[shown["sender_id"].to_numpy()] | mine
        return may | self._may_be_later(shown["received_ns"], shown["clock"])

    def on_pages(self, positions: Ints) -> Bools:
        """Which of these messages on pages may be one. Who wrote it need not be told where a send is without an answer."""
        evidence = self._account.evidence
        shown = evidence.page_rows.iloc[positions]
        pages = evidence.pages.iloc[shown["page"].to_numpy()]
        shown = shown.assign(chat_id=pages["chat_id"].to_numpy())
        nameless = shown["sender_id"].to_numpy() == NONE
        mine = self._is_mine(shown, "chat_id", "sender_id") | (nameless & self._is_mine(shown, "chat_id"))
        may: Bools = self._stranger[shown["sender_id"].to_numpy()] | mine
        return may | self._may_be_later(pages["answered_ns"], pages["clock"])

    def numbers(self) -> pd.DataFrame:
        """The ``chat_id`` and ``seq`` that they were shown with, each once."""
        evidence = self._account.evidence
        events, page_rows = evidence.events, evidence.page_rows
        numbered = [
            np.flatnonzero(self._is_unknown(table) & (table["seq"].to_numpy() != NULL))
            for table in (events, page_rows)
        ]
        by_events = numbered[0][self.events(numbered[0])]
        on_pages = numbered[1][self.on_pages(numbered[1])]
        chats = evidence.pages["chat_id"].to_numpy()[page_rows["page"].to_numpy()[on_pages]]
        shown = pd.DataFrame(
            {
                "chat_id": np.concatenate([events["chat_id"].to_numpy()[by_events], chats]),
                "seq": np.concatenate(
                    [events["seq"].to_numpy()[by_events], page_rows["seq"].to_numpy()[on_pages]]
                ),
            }
        )
        return shown.drop_duplicates()

    def deletions(self) -> int:
        """How many unknown messages were deleted of which nobody told a seq: each may have had any number of any chat."""
        evidence = self._account.evidence
        events, page_rows = evidence.events, evidence.page_rows
        deleted = (events["type"].to_numpy() == EventType.DELETE) & self._is_unknown(events)
        told = [
            table["message_id"].to_numpy()[table["seq"].to_numpy() != NULL] for table in (events, page_rows)
        ]
        return len(np.setdiff1d(events["message_id"].to_numpy()[deleted], np.concatenate(told)))

    def _may_be_later(self, at_ns: "pd.Series[int]", clock: "pd.Series[int]") -> Bools:
        """Which of these moments may lie after the last look, where the record does not have all sends."""
        account = self._account
        if self._has_all_sends or account.last_look_asked_ns is None:
            return np.full(len(at_ns), not self._has_all_sends)
        clocks = Clocks.of(account.evidence)
        asked = clocks.moments(np.array([account.last_look_asked_ns]), np.array([account.monitor_clock]))
        return ~clocks.moments(at_ns, clock).before(asked)

    def _is_mine(self, shown: pd.DataFrame, *columns: str) -> Bools:
        """Whether some unclear send says the same in these columns."""
        named = {"sender_id": "user_id"}
        asked, sent = (
            pd.MultiIndex.from_arrays([table[column].to_numpy(np.int64) for column in names])
            for table, names in ((shown, columns), (self._unclear, [named.get(one, one) for one in columns]))
        )
        same: Bools = asked.isin(sent)
        return same

    def _is_unknown(self, table: pd.DataFrame) -> Bools:
        """Whether no look saw the message, and no ok answer named it."""
        account = self._account
        sends = account.evidence.sends
        unknown = account.row_of_message == NONE
        unknown[sends["message_id"].to_numpy()[sends["outcome"].to_numpy() == Outcome.OK]] = False
        unknown[NONE] = False
        found: Bools = unknown[table["message_id"].to_numpy()]
        return found
