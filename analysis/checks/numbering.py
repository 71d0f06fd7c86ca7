"""Which seq was given to which message, by the word of whom.

**Looks** at the database are believed. An **answer** is believed of a message that no look saw, such as one that was deleted
between two of them; of all others the looks know better. **Events**, and the messages on pages of history, may be
wrong, or tell of a message that was rolled back. They are heard on two matters only:

* of a message that no look saw, though it was there: an ok answer named it, a DELETE event told that it went, or, where
  nobody was answered with it, a page showed it, which is read from the table. Its seq is the one that was answered, else
  the one that all of them tell;
* of a message whose seq was another one, by its answer, than the looks found: whether it had that, too, before they came.

Messages of other people from before the run are of no interest here.
"""

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.identifiers import NONE
from analysis.record.codes import EventType

NO_LOOK = np.iinfo(np.int64).max  # in place of the number of a look


def numbers_given(account: Account) -> pd.DataFrame:
    """Every seq that a message is known to have had: ``chat_id``, ``seq``, ``message_id``, ``operation`` (`NONE`: other
    people's), and ``poll``, the look that saw it (`NO_LOOK`: others tell of it). Some stand there several times."""
    observations = account.evidence.observations
    seen = observations.loc[
        observations["seq"].to_numpy() != NULL, ["chat_id", "seq", "message_id", "poll"]
    ].astype({"poll": np.int64})
    told = _Told(account)
    given: pd.DataFrame = pd.concat([seen, told.by_answers(), told.by_others()], ignore_index=True)
    row = account.row_of_message[given["message_id"].to_numpy()]
    of_row = np.append(account.rows["operation"].to_numpy(np.int64), NONE)[row]
    operation = np.where(row != NONE, of_row, told.answered[given["message_id"].to_numpy()])
    before = given["seq"].to_numpy() <= account.baseline[given["chat_id"].to_numpy()]
    of_interest: Bools = (operation != NONE) | ~before
    return given.assign(operation=operation)[of_interest]


class _Told:
    """What answers, events and pages tell of messages.

    Attributes:
        answered: for each message code the operation that was first answered with it; `NONE` without one, and for the code -1.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        operations = account.operations
        message = operations["message_id"].to_numpy(np.int64)
        self.answered = np.full(len(account.evidence.messages) + 1, NONE, np.int64)
        self.answered[message] = np.arange(len(operations))
        self.answered[NONE] = NONE
        # The last of each is for the operation -1.
        self._chat = np.append(operations["chat_id"].to_numpy(np.int64), NONE)[self.answered]
        self._seq = np.append(operations["seq"].to_numpy(np.int64), NULL)[self.answered]
        unseen = np.append(operations["rows_seen"].to_numpy() == 0, False)[self.answered]
        self._has_row = account.row_of_message != NONE
        self._answered_and_unseen = unseen & ~self._has_row

    def by_answers(self) -> pd.DataFrame:
        """Of messages that no look saw."""
        message = np.flatnonzero(self._answered_and_unseen & (self._seq != NULL))
        return _frame(self._chat[message], self._seq[message], message)

    def by_others(self) -> pd.DataFrame:
        """By events and pages, as far as they are believed."""
        evidence = self._account.evidence
        events, on_pages = evidence.events, evidence.page_rows
        chat_of_page = evidence.pages["chat_id"].to_numpy()
        deleted = events["type"].to_numpy() == EventType.DELETE
        was_there = self._answered_and_unseen.copy()
        was_there[events["message_id"].to_numpy()[deleted]] = True
        was_there[on_pages["message_id"].to_numpy()] |= (
            self.answered[on_pages["message_id"].to_numpy()] == NONE
        )
        heard = np.where(self._has_row, self._contradicted(), was_there)
        heard[NONE] = False
        parts = [
            _frame(chat[wanted], seq[wanted], message[wanted])
            for chat, seq, message in (
                (events["chat_id"].to_numpy(), events["seq"].to_numpy(), events["message_id"].to_numpy()),
                (
                    chat_of_page[on_pages["page"].to_numpy()],
                    on_pages["seq"].to_numpy(),
                    on_pages["message_id"].to_numpy(),
                ),
            )
            for wanted in [np.flatnonzero(heard[message] & (seq != NULL))]
        ]
        return self._agreed(pd.concat(parts, ignore_index=True).drop_duplicates())

    def _contradicted(self) -> Bools:
        """For each message code whether the answer gave it another seq or chat than its row has at the end."""
        rows = self._account.rows
        row = self._account.row_of_message
        seq = np.append(rows["seq"].to_numpy(np.int64), NULL)[row]
        chat = np.append(rows["chat_id"].to_numpy(np.int64), NONE)[row]
        unlike: Bools = (self._seq != NULL) & ((seq != self._seq) | (chat != self._chat))
        return unlike

    def _agreed(self, words: pd.DataFrame) -> pd.DataFrame:
        """Those that say what the answer said; where it gave no seq, those that nobody contradicts."""
        message, seq = words["message_id"].to_numpy(), words["seq"].to_numpy()
        chat = words["chat_id"].to_numpy()
        as_answered = (seq == self._seq[message]) & (chat == self._chat[message])
        alone = ~words["message_id"].duplicated(keep=False).to_numpy()
        believed: Bools = np.where(self._seq[message] != NULL, as_answered, alone)
        return words[believed]


def _frame(chat: Ints, seq: Ints, message: Ints) -> pd.DataFrame:
    return pd.DataFrame({"chat_id": chat, "seq": seq, "message_id": message, "poll": NO_LOOK})
