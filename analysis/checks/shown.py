"""What pages of history show: which message each entry is, and whether it is one of this chat at all."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.checks.account import NULL, Account, Bools, Ints, pair
from analysis.checks.fleeting import Fleeting
from analysis.checks.known_values import KnownValues
from analysis.checks.subscriptions import participation_keys
from analysis.identifiers import NONE
from analysis.record.codes import Outcome


class Wrong(IntEnum):
    """What is wrong with an entry by itself."""

    NOTHING = 0
    UNKNOWN = 1
    SEQ = 2
    FOREIGN = 3
    LEAKED = 4
    UNSEEN = 5  # nothing that is certain: see `analysis.checks.fleeting`
    SENDER = 6
    TEXT = 7


WRONG = {  # in words, about the message
    Wrong.UNKNOWN: "It stood on a page of history, and no such message was ever stored.",
    Wrong.SEQ: "It stood on a page of history with another seq than is stored.",
    Wrong.TEXT: "It stood on a page of history with another text than was sent or stored.",
    Wrong.SENDER: "It stood on a page of history with another sender than is stored.",
    Wrong.FOREIGN: "It stood on a page of another chat's history.",
    Wrong.LEAKED: "It stood on a page of another chat's history, and the reader is not in its own chat.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Entries of pages, in the order answered.

    Attributes:
        page: position in `Evidence.pages`, ascending.
        message: code of its id; `NONE` where the app gives none.
        row: in `Account.rows`; `NONE` when it is not known which.
        seq: as shown, else as stored in this chat; `NULL` when neither says.
        telling: it says which message it is, by an id or a seq.
        worded: its text is shown, and is held against the ones that it had.
        wrong: `Wrong`.
    """

    page: Ints
    message: Ints
    row: Ints
    seq: Ints
    telling: Bools
    worded: Bools
    wrong: NDArray[np.int8]

    def __getitem__(self, chosen: "Ints | Bools") -> "Shown":
        return Shown(
            self.page[chosen],
            self.message[chosen],
            self.row[chosen],
            self.seq[chosen],
            self.telling[chosen],
            self.worded[chosen],
            self.wrong[chosen],
        )

    @property
    def faulty(self) -> Bools:
        """Which have something wrong with them for certain."""
        wrong: Bools = (self.wrong != Wrong.NOTHING) & (self.wrong != Wrong.UNSEEN)
        return wrong

    def placed(self) -> "Shown":
        """Those that belong in this chat and have a place in its order."""
        return self[(self.wrong == Wrong.NOTHING) & (self.seq != NULL)]


def shown_on_pages(account: Account) -> Shown:
    """All entries of all pages.

    An entry is known when the monitor saw its row, an ok answer named it, or an event told of it, which then is for
    `realtime.phantom` to judge. Of messages from before the run, whose seq is not above the chat's baseline, nothing is known,
    nor of those that may have come and gone between two looks. Without a last look nobody can say what was never stored, nor
    where a row was moved to. A row belongs into every chat that it was sent to or that a look ever saw it in: it may have been
    moved after the page was read, or before; and so with its texts and senders. An event that showed it in this chat is, again, for `realtime.phantom` to judge.
    """
    evidence, rows = account.evidence, account.rows
    page, message, told, sender, text = (
        evidence.page_rows[column].to_numpy(np.int64)
        for column in ("page", "message_id", "seq", "sender_id", "text_crc32")
    )
    chat, reader = (evidence.pages[column].to_numpy(np.int64)[page] for column in ("chat_id", "user_id"))
    row = account.row_of_message[message]
    stored_seq, stored_chat = (
        np.append(rows[column].to_numpy(np.int64), NULL)[row] for column in ("seq", "chat_id")
    )
    wrong = np.full(len(page), Wrong.NOTHING, np.int8)
    values = KnownValues(account)
    mine = np.append(rows["operation"].to_numpy() >= 0, False)[row]
    worded = mine & (text != NULL) & ~ever_deleted(account)[row] & (account.last_look_ns is not None)
    if account.last_look_ns is not None:
        unknown = np.flatnonzero((row == NONE) & ~_may_exist(account, chat, message, told))
        unknown = unknown[~_in_events(account, chat[unknown], message[unknown])]
        wrong[unknown] = Wrong.UNKNOWN
        wrong[unknown[Fleeting(account).on_pages(unknown)]] = Wrong.UNSEEN
        other = np.flatnonzero((row != NONE) & (told != NULL) & (told != stored_seq))
        had = _ever_told(account, "message_id", message[other], told[other])
        wrong[other[~had]] = Wrong.SEQ
        place = np.flatnonzero(worded)
        wrong[place[~values.had("text_crc32", row[place], text[place])]] = Wrong.TEXT
        named = np.flatnonzero(mine & (sender != NONE))
        wrong[named[~values.had("sender_id", row[named], sender[named])]] = Wrong.SENDER
        away = np.flatnonzero((row != NONE) & (stored_chat != chat))
        foreign = away[~values.had("chat_id", row[away], chat[away])]
        foreign = foreign[~_in_events(account, chat[foreign], message[foreign], or_nowhere=False)]
        wrong[foreign] = Wrong.FOREIGN
        wrong[foreign[~_is_insider(account, values, row[foreign], reader[foreign])]] = Wrong.LEAKED
    # Where a row was in another chat its number there says nothing about its place on this page.
    here = np.where(stored_chat == chat, stored_seq, NULL)
    return Shown(
        page,
        message,
        row,
        np.where(told != NULL, told, here),
        (message != NONE) | (told != NULL),
        worded,
        wrong,
    )


def _may_exist(account: Account, chat: Ints, message: Ints, told: Ints) -> Bools:
    """Whether a message of which no row was seen may be there: named by an answer, from before the run, or not told which."""
    evidence = account.evidence
    sends = evidence.sends
    acknowledged = np.zeros(len(evidence.messages) + 1, np.bool_)
    acknowledged[sends["message_id"].to_numpy()[sends["outcome"].to_numpy() == Outcome.OK]] = True
    acknowledged[NONE] = False
    old = np.where(told != NULL, told <= account.baseline[chat], account.baseline[chat] > 0)
    old |= ~np.isin(chat, evidence.baseline["chat_id"].to_numpy())
    seq_only = np.flatnonzero((message == NONE) & (told != NULL))
    given = np.zeros(len(message), np.bool_)
    given[seq_only] = _ever_told(account, "chat_id", chat[seq_only], told[seq_only])
    may: Bools = acknowledged[message] | old | given | ((message == NONE) & (told == NULL))
    return may


def _in_events(account: Account, chat: Ints, message: Ints, *, or_nowhere: bool = True) -> Bools:
    """Whether an event told of these messages: in this chat, or without a chat, as of a row that is gone."""
    if not len(message):
        return np.zeros(0, np.bool_)
    events = account.evidence.events
    codes, chats = events["message_id"].to_numpy(), events["chat_id"].to_numpy()
    meant = np.isin(codes, message[message != NONE])
    codes, chats = codes[meant], chats[meant]
    told = np.isin(pair(message, chat), pair(codes, chats)[chats != NONE])
    told |= or_nowhere & np.isin(message, codes[chats == NONE])
    known: Bools = told & (message != NONE)
    return known


def ever_deleted(account: Account) -> Bools:
    """Which rows any look saw marked as deleted: an app may show other things in place of theirs. The last is for no row."""
    observations = account.evidence.observations
    deleted = np.zeros(len(account.rows) + 1, np.bool_)
    marked = observations["deleted"].to_numpy(np.bool_)
    deleted[account.row_of_message[observations["message_id"].to_numpy()[marked]]] = True
    return deleted


def _is_insider(account: Account, values: KnownValues, row: Ints, reader: Ints) -> Bools:
    """Whether each of these readers is in some chat that this row ever was in."""
    inside = np.zeros(len(row), np.bool_)
    if not len(row):
        return inside
    chats = values.all_of("chat_id", row)
    asked = pd.DataFrame({"row": row, "reader": reader, "place": np.arange(len(row))})
    both = asked.merge(chats, on="row")
    may = np.isin(pair(both["value"].to_numpy(), both["reader"].to_numpy()), participation_keys(account))
    inside[both["place"].to_numpy()[may]] = True
    return inside


def _ever_told(account: Account, of: str, code: Ints, seq: Ints) -> Bools:
    """Whether a look, an ok answer or an event ever told of these seqs of these messages (`of` is message_id) or chats (chat_id)."""
    evidence = account.evidence
    ever: Bools = np.zeros(len(code), np.bool_)
    if not len(code):
        return ever
    sends = evidence.sends
    answers = sends[sends["outcome"] == Outcome.OK]
    for table in (evidence.observations, answers, evidence.events):
        codes = table[of].to_numpy()
        meant = np.isin(codes, code)
        ever |= np.isin(pair(code, seq), pair(codes[meant], table["seq"].to_numpy()[meant]))
    return ever
