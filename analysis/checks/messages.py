"""`messages.*`: was what the server said about each message true of the database?

Vocabulary of Jepsen's checkers: an ok message that is not stored is *lost*; a refused one that is stored is
*unexpected*; an info one may be either, and is *recovered* when it is stored. See `analysis.checks.account`
for what counts as one message.
"""

from collections.abc import Iterator

import numpy as np

from analysis.checks.account import NEVER, NULL, Account, Bools, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer, either
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults
from analysis.identifiers import Identifiers
from analysis.record.codes import Outcome

MAX_QUOTED = 60  # characters of a text that a sentence quotes

_NAMED = ("sender_id", "chat_id", "client_generated_id")  # by its value, which may be none


def lost(account: Account) -> Criterion:
    """`messages.lost`: acknowledged, and not in the database at the end.

    Also lost is a message that was stored, answered by this id, and then went: nobody of the load deletes.
    """
    operations, rows = account.operations, account.rows
    namer = Namer(account)
    ok = operations["outcome"].to_numpy() == Outcome.OK
    absent = ok & (operations["rows"].to_numpy() == 0)
    message = operations["message_id"].to_numpy(np.int64)
    answered_row = account.row_of_message[message]
    gone = ok & (answered_row >= 0)
    gone[gone] = rows["gone"].to_numpy()[answered_row[gone]]
    vanished_row = _last_row(account)
    too_late = absent & ~gone & _answered_after_the_last_look(account)
    faults = np.flatnonzero((absent & ~too_late) | gone)
    unseen = account.last_look_ns is None
    if unseen:  # what was never seen may be there all the same; what was seen to go is gone
        faults = faults[gone[faults] | (vanished_row[faults] >= 0)]

    row = np.where(gone[faults], answered_row[faults], vanished_row[faults])

    def vanished(place: int) -> Iterator[Finding]:
        yield namer.row(
            int(row[place]),
            "The server acknowledged this message and stored it, yet it is no longer in the database.",
        )

    def never_came(place: int) -> Iterator[Finding]:
        yield namer.operation(
            int(faults[place]), "The server acknowledged this message, yet it never appeared in the database."
        )

    reason = NO_LAST_LOOK if unseen else None
    if not reason and too_late.any():
        reason = f"{too_late.sum():,} messages were acknowledged after the monitor's last look."
    return from_faults(
        "messages.lost",
        "No acknowledged message is lost",
        "messages",
        int(ok.sum()),
        either(
            row >= 0,
            namer.of_rows(row, vanished),
            namer.of_operations(faults, never_came),
        ),
        inconclusive=reason,
        facts={
            "recovered": int(((operations["outcome"] == Outcome.INFO) & (operations["rows"] > 0)).sum()),
            "rows_of_other_people": int(((rows["operation"] < 0) & ~rows["before"]).sum()),
        },
    )


def unexpected(account: Account) -> Criterion:
    """`messages.unexpected`: refused, and stored all the same."""
    operation = account.rows["operation"].to_numpy()
    refused = account.operations["outcome"].to_numpy() == Outcome.FAIL
    faults = np.flatnonzero((operation >= 0) & _at(refused, operation))
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        yield namer.row(int(faults[place]), "The server refused this message, yet it is stored.")

    return from_faults(
        "messages.unexpected",
        "No refused message is stored",
        "messages",
        len(refused),
        namer.of_rows(faults, tell),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={"refused": int(refused.sum())},
    )


def duplicated(account: Account) -> Criterion:
    """`messages.duplicated`: sent once, or repeated with the same id, and stored more than once."""
    copies = account.operations["rows"].to_numpy()
    faults = np.flatnonzero(copies > 1)
    mine = np.flatnonzero(account.stored)
    mine = mine[np.argsort(account.rows["operation"].to_numpy()[mine], kind="stable")]
    sorted_operations = account.rows["operation"].to_numpy()[mine]
    begin, end = (np.searchsorted(sorted_operations, faults, side=side) for side in ("left", "right"))
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        rows = mine[begin[place] : end[place]].tolist()
        others = ", ".join(namer.message(account.rows["message_id"].iloc[row]) for row in rows[1:])
        yield namer.row(rows[0], f"This message is stored {len(rows)} times; the further rows are {others}.")

    return from_faults(
        "messages.duplicated",
        "No message is stored more than once",
        "messages",
        int((copies > 0).sum()),
        namer.of_rows(mine[begin], tell),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def corrupted(account: Account) -> Criterion:
    """`messages.corrupted`: what is stored differs from what was sent, or from what the answer said of it."""
    rows, operations = account.rows, account.operations
    stored = np.flatnonzero(account.stored)
    row, operation = rows.iloc[stored], operations.iloc[rows["operation"].to_numpy()[stored]]

    def differs(stored_column: str, sent_column: str) -> Bools:
        unlike: Bools = row[stored_column].to_numpy() != operation[sent_column].to_numpy()
        return unlike

    alone = operation["rows"].to_numpy() == 1
    single = alone & operation["ids_agree"].to_numpy()
    told_id = operation["message_id"].to_numpy() >= 0
    told_seq = (operation["seq"].to_numpy() != NULL) & operation["seqs_agree"].to_numpy()
    keeps_ids = bool((row["client_generated_id"].to_numpy() >= 0).any())
    faults = {
        "text": differs("text_hash", "text_hash"),
        "sender": differs("sender_id", "user_id"),
        "chat": differs("chat_id", "chat_id"),
        # A copy without the id is one too many; that it lacks the id is no second fault.
        "client_generated_id": differs("client_generated_id", "client_generated_id") & keeps_ids & alone,
        "id": differs("message_id", "message_id") & told_id & single,
        "seq": differs("seq", "seq") & told_seq & single & (row["seq"].to_numpy() != NULL),
        "deleted_at": row["deleted"].to_numpy(np.bool_),
    }
    wrong_rows = np.flatnonzero(np.logical_or.reduce(list(faults.values())))
    # What is not there reads otherwise than what is another one.
    absent = [row[name].to_numpy() < 0 for name in ("text_crc32", *_NAMED)]
    kind = sum((where[wrong_rows] << bit for bit, where in enumerate([*faults.values(), *absent])), 0)
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        number = wrong_rows[place]
        wrong = [name for name, where in faults.items() if where[number]]
        sentence = " ".join(_sentence(account, namer, int(stored[number]), name) for name in wrong)
        yield namer.row(int(stored[number]), sentence)

    return from_faults(
        "messages.corrupted",
        "Every message is stored as it was sent",
        "messages",
        len(stored),
        namer.of_rows(stored[wrong_rows], tell, kind),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def _sentence(account: Account, namer: Namer, row_number: int, wrong: str) -> str:
    """What is wrong with one field of a row, with both values."""
    row = account.rows.iloc[row_number]
    operation = account.operations.iloc[int(row["operation"])]
    evidence, send, observation = account.evidence, int(operation["send"]), int(row["observation"])

    def both(column: str, sent_column: str, ids: Identifiers) -> str:
        return f"{ids.text(operation[sent_column])}, and is stored with {ids.text(row[column])}"

    match wrong:
        case "text":
            sent, stored = (
                evidence.sent_texts([send])[send],
                evidence.stored_texts([observation])[observation],
            )
            said = f"The text {_quoted(sent)} is stored as {_quoted(stored)}"
        case "sender":
            said = f"It was sent by {both('sender_id', 'user_id', evidence.people)}"
        case "chat":
            said = f"It was sent to chat {both('chat_id', 'chat_id', evidence.chats)}"
        case "client_generated_id":
            key = "client_generated_id"
            said = f"It was sent with client_generated_id {both(key, key, evidence.messages)}"
        case "id":
            said = f"The answer gave it the id {namer.message(operation['message_id'])}, another than it is stored with"
        case "seq":
            said = f"The answer gave it seq {operation['seq']}, and seq {row['seq']} is stored"
        case _:
            said = "Its deleted_at is set, though nobody in the run deletes"
    return f"{said}."


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    shown = repr(text[:MAX_QUOTED])
    return f"{shown}… ({len(text):,} characters)" if len(text) > MAX_QUOTED else shown


def _answered_after_the_last_look(account: Account) -> Bools:
    """Operations whose answer came after the sweep; across clocks the sweep, which follows the drain, is later."""
    operations = account.operations
    acknowledged = operations["acknowledged_ns"].to_numpy()
    if account.last_look_ns is None:
        return np.zeros(len(operations), np.bool_)
    comparable = operations["clock"].to_numpy() == account.monitor_clock
    late: Bools = comparable & (acknowledged != NEVER) & (acknowledged > account.last_look_ns)
    return late


def _last_row(account: Account) -> Ints:
    """For each operation a row that it has or had, whichever was seen last; -1 if none."""
    operation = account.rows["operation"].to_numpy()
    last = np.full(len(account.operations), -1, np.int64)
    mine = np.flatnonzero(operation >= 0)
    last[operation[mine]] = mine
    return last


def _at(flags: Bools, positions: Ints) -> Bools:
    """`flags` at `positions`; False where a position is -1."""
    found: Bools = np.append(flags, False)[positions]
    return found
