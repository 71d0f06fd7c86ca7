"""What each of `messages.*` and `idempotency.retries` must say of a ledger, by nested loops.

Written from the words of docs/what-is-checked.md and of the checkers, and from nothing else of them.
"""

from collections.abc import Hashable

from analysis.record.codes import Outcome
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.books import Books, Meant, Row
from tests.analysis.checks.oracles.ledger import Ledger
from tests.analysis.checks.oracles.story import key_id, message_id, ns


def lost(ledger: Ledger) -> Answer:
    """Acknowledged and not there at the end, or gone by the id that was answered."""
    books = Books(ledger)
    faults: list[Hashable] = []
    late = False
    for one in books.meant:
        if one.outcome is not Outcome.OK:
            continue
        told = books.row(one.ids[0]) if one.ids else None
        if told is not None and told.gone:
            faults.append(of_row(books, told))
        elif not one.stored and books.late(one):
            late = True
        elif not one.stored and one.rows:
            faults.append(of_row(books, one.rows[-1]))
        elif not one.stored and not books.unseen:
            faults.append(of_meant(one))
    return Answer(
        faults,
        checked=sum(one.outcome is Outcome.OK for one in books.meant),
        unseen=books.unseen or late,
        facts={
            "recovered": sum(one.outcome is Outcome.INFO and bool(one.stored) for one in books.meant),
            "rows_of_other_people": sum(row.of is None and not books.before(row) for row in books.rows),
        },
    )


def unexpected(ledger: Ledger) -> Answer:
    """Rows, also such as went again, of messages that were refused and nothing but refused."""
    books = Books(ledger)
    refused = [one for one in books.meant if one.outcome is Outcome.FAIL]
    faults: list[Hashable] = [of_row(books, row) for row in books.rows if row.of in refused]
    return Answer(faults, len(books.meant), books.unseen, {"refused": len(refused)})


def duplicated(ledger: Ledger) -> Answer:
    """Messages with more than one row at the end."""
    books = Books(ledger)
    faults: list[Hashable] = [
        (of_row(books, one.stored[0]), frozenset(str(message_id(row.id)) for row in one.stored[1:]))
        for one in books.meant
        if len(one.stored) > 1
    ]
    return Answer(faults, sum(bool(one.stored) for one in books.meant), books.unseen)


def corrupted(ledger: Ledger) -> Answer:
    """Rows of the run of which a field is not as it was sent or answered."""
    books = Books(ledger)
    stored = [(one, row) for one in books.meant for row in one.stored]
    keeps_keys = any(row.state.key is not None for _, row in stored)
    faults: list[Hashable] = []
    for one, row in stored:
        sent, state = one.first, row.state
        alone = len(one.stored) == 1
        wrong = {
            "text": state.text != sent.text,
            "sender": state.sender != sent.person,
            "chat": state.chat != sent.chat,
            "key": keeps_keys and alone and state.key != sent.key,
            "deleted": state.deleted,
        }
        if alone and len(set(one.ids)) <= 1:
            wrong["id"] = bool(one.ids) and one.ids[0] != row.id
            wrong["seq"] = len(set(one.seqs)) == 1 and state.seq not in (None, one.seqs[0])
        if any(wrong.values()):
            faults.append((of_row(books, row), frozenset(name for name, is_so in wrong.items() if is_so)))
    return Answer(faults, len(stored), books.unseen)


def retries(ledger: Ledger) -> Answer:
    """Repeated messages that were answered in two ways, or made two rows."""
    repeated = [one for one in Books(ledger).meant if len(one.attempts) > 1 and one.ok]
    faults: list[Hashable] = [
        (of_meant(one), len(set(one.ids)) > 1, len(set(one.seqs)) > 1, len(one.stored) > 1)
        for one in repeated
        if len(set(one.ids)) > 1 or len(set(one.seqs)) > 1 or len(one.stored) > 1
    ]
    return Answer(faults, len(repeated), facts={"attempts": sum(len(one.attempts) for one in repeated)})


def of_row(books: Books, row: Row) -> Hashable:
    """How a finding names a row: its id, the key of its message, when it was first seen."""
    key = row.state.key
    if key is None and row.of is not None:
        key = row.of.first.key
    return str(message_id(row.id)), _key(key), ns(books.ledger.polls[row.first_poll].at)


def of_meant(one: Meant) -> Hashable:
    """How a finding names a message: the id first answered, its key, when it left."""
    told = str(message_id(one.ids[0])) if one.ids else None
    return told, _key(one.first.key), ns(one.first.left)


def _key(number: int | None) -> str | None:
    return None if number is None else str(key_id(number))
