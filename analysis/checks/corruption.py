"""`messages.corrupted`: what is stored of each message, against what was sent and what the answer said of it."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer
from analysis.criteria import Criterion, Finding
from analysis.faults import MAX_EXAMPLES, from_faults
from analysis.identifiers import NONE, Identifiers
from analysis.record.codes import ObservedChange

MAX_QUOTED = 60  # characters of a text that a sentence quotes

# The columns of what was stored and of what was sent, where a sentence tells of both and either may be none.
_VALUES = {
    "text": ("text_hash", "text_hash"),
    "sender": ("sender_id", "user_id"),
    "chat": ("chat_id", "chat_id"),
    "client_generated_id": ("client_generated_id", "client_generated_id"),
}
_FORMS = 16  # of what a sentence says of a field, it says nothing among them


def corrupted(account: Account) -> Criterion:
    """A row that any look saw with another text, sender, chat, client_generated_id, id or seq than it should have.

    A field that was wrong for a while only is a fault, too. A seq must be the one that was answered, and stay the same;
    that it is not there is the matter of `seq.missing`.
    """
    looks = _Looks(account)
    wrong = looks.wrong()
    anything = np.flatnonzero(np.logical_or.reduce(list(wrong.values())))
    faults = np.unique(looks.row[anything])

    kind = looks.kinds(wrong)
    namer = Namer(account)

    def teller_of(rows: Ints) -> _Teller:
        shown = anything[np.isin(looks.row[anything], rows)]
        return _Teller(account, looks, {field: shown[where[shown]] for field, where in wrong.items()})

    at_first = cache(
        lambda: teller_of(faults[:MAX_EXAMPLES])
    )  # nearly all that are told; texts are read in one pass

    def tell(place: int) -> Iterator[Finding]:
        teller = at_first() if place < MAX_EXAMPLES else teller_of(faults[place : place + 1])
        yield teller.finding(int(faults[place]))

    return from_faults(
        "messages.corrupted",
        "Every message is stored as it was sent",
        "messages",
        int(np.count_nonzero(np.bincount(looks.row))),
        namer.of_rows(faults, tell, kind[faults]),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


class _Looks:
    """All that the looks saw of messages of the run.

    Attributes:
        position: in ``Evidence.observations``, of each time that a row was seen there.
        row: in `Account.rows`.
        operation: that the row belongs to.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        observations = account.evidence.observations
        row = account.row_of_message[observations["message_id"].to_numpy()]
        operation = account.rows["operation"].to_numpy(np.int64)[row]
        there = observations["change"].to_numpy() != ObservedChange.GONE
        self.position = np.flatnonzero(there & (operation >= 0))
        self.row, self.operation = row[self.position], operation[self.position]

    def wrong(self) -> dict[str, Bools]:
        """By field the places at which it was not as it should be."""
        alone = self._sent("rows_seen") == 1
        answered = self._sent("message_id") == self._stored("message_id")
        # Of several rows one is right. What was answered says nothing of the others; nor is it a second fault that a copy
        # lacks the client_generated_id.
        meant = alone | answered
        agreed = self._sent("ids_agree")
        told_id = self._sent("message_id") >= 0
        told_seq = (self._sent("seq") != NULL) & self._sent("seqs_agree")
        seq = self._stored("seq")
        numbered = seq != NULL
        return {
            "text": self._stored("text_hash") != self._sent("text_hash"),
            "sender": self._stored("sender_id") != self._sent("user_id"),
            "chat": self._stored("chat_id") != self._sent("chat_id"),
            # An app that is sent none may have the row given one.
            "client_generated_id": meant
            & (self._sent("client_generated_id") != NONE)
            & (self._stored("client_generated_id") != self._sent("client_generated_id")),
            "id": alone & agreed & told_id & ~answered,
            "seq": meant & agreed & told_seq & numbered & (seq != self._sent("seq")),
            "later seq": numbered & (seq != self.first_seq()[self.row]),
            "deleted_at": self._stored("deleted").astype(np.bool_),
        }

    def kinds(self, wrong: dict[str, Bools]) -> Ints:
        """For each of `Account.rows` the number of the sentences about it: of each field whether it was wrong and still is, and
        whether one of the two values that are told is none."""
        rows = self._account.rows
        last_seen, gone = rows["observation"].to_numpy(np.int64), rows["gone"].to_numpy(np.bool_)
        kind = np.zeros(len(rows), np.int64)
        for field, where in wrong.items():
            places = np.flatnonzero(where)
            last = np.full(len(rows), NONE, np.int64)
            last[self.row[places]] = places  # of several the last one
            told = np.flatnonzero(last >= 0)
            place = last[told]
            form = 1 + 2 * ((self.position[place] == last_seen[told]) & ~gone[told])
            if field in _VALUES:
                stored, sent = _VALUES[field]
                form = (
                    form + 4 * (self._stored(stored)[place] == NONE) + 8 * (self._sent(sent)[place] == NONE)
                )
            kind *= _FORMS
            kind[told] += form
        return kind

    def first_seq(self) -> Ints:
        """The first seq that each of `Account.rows` was seen with; `NULL` if none."""
        seq = self._stored("seq")
        numbered = np.flatnonzero(seq != NULL)[::-1]
        first = np.full(len(self._account.rows), NULL, np.int64)
        first[self.row[numbered]] = seq[numbered]
        return first

    def _stored(self, column: str) -> Ints:
        values: Ints = self._account.evidence.observations[column].to_numpy()[self.position]
        return values

    def _sent(self, column: str) -> Ints:
        values: Ints = self._account.operations[column].to_numpy()[self.operation]
        return values


class _Teller:
    """Says of rows what was wrong with them; of a field that was wrong at several looks what the last of them saw."""

    def __init__(self, account: Account, looks: _Looks, wrong: dict[str, Ints]) -> None:
        """`wrong`: by field the places in `looks` at which it was."""
        self._account = account
        self._namer = Namer(account)
        self._first_seq = looks.first_seq()
        self._last = {
            field: dict(zip(looks.row[places].tolist(), looks.position[places].tolist(), strict=True))
            for field, places in wrong.items()
        }
        operation = account.rows["operation"].to_numpy()[list(self._last["text"])]
        send = account.operations["send"].to_numpy()[operation]
        self._sent_texts = account.evidence.sent_texts(send)
        self._stored_texts = account.evidence.stored_texts(self._last["text"].values())

    def finding(self, row: int) -> Finding:
        """All that is wrong with this row."""
        said = [self._sentence(field, row, last[row]) for field, last in self._last.items() if row in last]
        return self._namer.row(row, " ".join(said))

    def _sentence(self, field: str, row: int, position: int) -> str:
        """What is wrong with one field, with both values."""
        account, evidence = self._account, self._account.evidence
        stored = evidence.observations.iloc[position]
        state = account.rows.iloc[row]
        operation = account.operations.iloc[int(state["operation"])]
        still = position == int(state["observation"]) and not state["gone"]
        is_stored = "is stored" if still else "was stored for a while"

        def both(column: str, sent_column: str, ids: Identifiers) -> str:
            sent, found = (ids.text(code) or "none" for code in (operation[sent_column], stored[column]))
            return f"{sent}, and {is_stored} with {found}"

        match field:
            case "text":
                sent = self._sent_texts[int(operation["send"])]
                said = f"The text {_quoted(sent)} {is_stored} as {_quoted(self._stored_texts[position])}"
            case "sender":
                said = f"It was sent by {both('sender_id', 'user_id', evidence.people)}"
            case "chat":
                said = f"It was sent to chat {both('chat_id', 'chat_id', evidence.chats)}"
            case "client_generated_id":
                said = f"It was sent with {field} {both(field, field, evidence.messages)}"
            case "id":
                told = self._namer.message(operation["message_id"])
                said = f"The answer gave it the id {told}, another than it {is_stored} with"
            case "seq":
                said = f"The answer gave it seq {operation['seq']}, and seq {stored['seq']} {is_stored}"
            case "later seq":
                said = f"Its seq was changed from {self._first_seq[row]} to {stored['seq']}"
            case _:
                said = f"Its deleted_at {'is' if still else 'was'} set, though nobody in the run deletes"
        return f"{said}."


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    shown = repr(text[:MAX_QUOTED])
    return f"{shown}… ({len(text):,} characters)" if len(text) > MAX_QUOTED else shown
