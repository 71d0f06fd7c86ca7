"""Every value that a field of a message ever had, as far as anybody knows: what looks saw, and what was sent and answered."""

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Bools, Ints, pair
from analysis.checks.subscriptions import positions
from analysis.identifiers import NONE
from analysis.record.codes import Outcome

SENT_AS = {
    "text_crc32": "text_crc32",
    "sender_id": "user_id",
    "chat_id": "chat_id",
}  # columns of `Account.operations`


class KnownValues:
    """The values of the messages of one account's run.

    A row that somebody changed was once as an event showed it. Most rows never change, so only what
    is unlike the last state of its row and unlike what was sent is looked up in all that was seen.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._seen: dict[str, tuple[Ints, Ints]] = {}

    def had(self, field: str, row: Ints, value: Ints) -> Bools:
        """Whether each of these rows ever had this value, or was sent with it; `NULL` is one, too.

        Args:
            field: "seq", "text_crc32", "sender_id" or "chat_id".
        """
        value = value.astype(np.int64)
        known: Bools = self._account.rows[field].to_numpy(np.int64)[row] == value
        if field in SENT_AS:
            operation, sent = self._sent_with(field, row)
            known |= (operation != NONE) & (sent == value)
        rest = np.flatnonzero(~known)
        if len(rest):
            if field not in self._seen:
                self._seen[field] = self._ever(field)
            values, pairs = self._seen[field]
            place = positions(values, value[rest])
            known[rest] = (place >= 0) & (positions(pairs, pair(row[rest], place)) >= 0)
        return known

    def all_of(self, field: str, row: Ints) -> pd.DataFrame:
        """Every value of these rows, each once: ``row``, ``value``; what they were sent with included.

        Args:
            field: as of `had`, but for "seq".
        """
        account, observations = self._account, self._account.evidence.observations
        row = np.unique(row)
        operation, sent = self._sent_with(field, row)
        seen = account.row_of_message[observations["message_id"].to_numpy()]
        meant = np.isin(seen, row)
        rows = np.concatenate([row[operation != NONE], seen[meant]])
        values = np.concatenate([sent[operation != NONE], observations[field].to_numpy(np.int64)[meant]])
        return pd.DataFrame({"row": rows, "value": values}).drop_duplicates(ignore_index=True)

    def _sent_with(self, field: str, row: Ints) -> tuple[Ints, Ints]:
        """The operation of each row, `NONE` of other people's, and what it was sent with."""
        operation = self._account.rows["operation"].to_numpy(np.int64)[row]
        sent = np.append(self._account.operations[SENT_AS[field]].to_numpy(np.int64), NULL)
        return operation, sent[operation]

    def _ever(self, field: str) -> tuple[Ints, Ints]:
        """All values, ascending; and the pairs of row and position of a value, ascending."""
        account, observations = self._account, self._account.evidence.observations
        row = account.row_of_message[observations["message_id"].to_numpy()]
        value = observations[field].to_numpy(np.int64)
        if field == "seq":
            row, value = (
                np.concatenate(both) for both in zip((row, value), self._answered_seqs(), strict=True)
            )
        values = np.unique(value)
        return values, np.unique(pair(row, positions(values, value)))

    def _answered_seqs(self) -> tuple[Ints, Ints]:
        """Rows, and the seqs that ok answers told of their messages."""
        account, sends = self._account, self._account.evidence.sends
        told = pd.DataFrame({"operation": account.operation_of_send, "seq": sends["seq"].to_numpy(np.int64)})
        told = told[(sends["outcome"].to_numpy() == Outcome.OK) & (told["seq"].to_numpy() != NULL)]
        rows = account.rows[["operation"]].assign(row=np.arange(len(account.rows)))
        answered = rows[rows["operation"].to_numpy() >= 0].merge(told, on="operation")
        return answered["row"].to_numpy(np.int64), answered["seq"].to_numpy(np.int64)
