"""What each of `messages.*` and `idempotency.retries` must say of a ledger, by nested loops.

Written from the words of docs/what-is-checked.md and of the checkers, and from nothing else of them.
"""

from collections.abc import Hashable

from analysis.record.codes import Outcome
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.books import Books, Meant, Row
from tests.analysis.checks.oracles.ledger import Ledger, State
from tests.analysis.checks.oracles.story import key_id, message_id, ns


def lost(ledger: Ledger) -> Answer:
    """Acknowledged and never there, or there once and gone: all its rows, or the one that was answered; or gone for a while."""
    books = Books(ledger)
    faults: list[Hashable] = []
    late = False
    for one in books.meant:
        told = books.row(one.ids[0]) if one.ids else None
        if told is not None and told.gone:
            faults.append(of_row(books, told))
        elif one.rows and all(row.gone for row in one.rows):
            faults.append(of_row(books, one.rows[-1]))
        elif told is not None and told.came_back:
            faults.append(of_row(books, told))
        elif told is None and len(one.rows) == 1 and one.rows[0].came_back:
            faults.append(of_row(books, one.rows[0]))
        elif one.outcome is Outcome.OK and not one.rows:
            late = late or books.late(one)
            if not books.late(one) and not books.unseen:
                faults.append(of_meant(books, one))
    return Answer(
        faults,
        checked=sum(one.outcome is Outcome.OK or bool(one.rows) for one in books.meant),
        unseen=books.unseen or late,
        facts={
            "recovered": sum(one.outcome is Outcome.INFO and bool(one.stored) for one in books.meant),
            "rows_of_other_people": sum(
                row.of is None and not books.before(row) and row.state.sender not in books.users
                for row in books.rows
            ),
        },
    )


def unexpected(ledger: Ledger) -> Answer:
    """Rows, also such as went again, of messages that were refused and nothing but refused; and such as nobody sent, in the name
    of somebody of the run, where all that was sent is known, and the seq says that they are of the run."""
    books = Books(ledger)
    refused = [one for one in books.meant if one.outcome is Outcome.FAIL]
    faults: list[Hashable] = [of_row(books, row) for row in books.rows if row.of in refused]
    unsent = [
        row
        for row in books.rows
        if row.of is None and row.state.sender in books.users and not books.before(row)
    ]
    proven = [
        row
        for row in unsent
        if row.state.seq is not None
        and ledger.baseline[row.state.chat] is not None
        and not any(process.lost for process in ledger.processes)
    ]
    faults += [of_row(books, row) for row in proven]
    facts: dict[str, float | int] = {"refused": len(refused), "unsent_rows": len(unsent)}
    return Answer(faults, len(books.meant) + len(proven), books.unseen, facts)


def duplicated(ledger: Ledger) -> Answer:
    """Messages of which more than one row was ever there."""
    books = Books(ledger)
    faults: list[Hashable] = [
        (of_row(books, one.rows[0]), frozenset(str(message_id(row.id)) for row in one.rows))
        for one in books.meant
        if len(one.rows) > 1
    ]
    return Answer(faults, sum(bool(one.rows) for one in books.meant), books.unseen)


def corrupted(ledger: Ledger) -> Answer:
    """Rows of the run of which any look found a field that is not as it was sent or answered."""
    books = Books(ledger)
    seen = [(one, row) for one in books.meant for row in one.rows if row.states]
    faults: list[Hashable] = []
    for one, row in seen:
        wrong = {name for state in row.states for name in wrong_fields(one, row, state)}
        if len({state.seq for state in row.states} - {None}) > 1:
            wrong.add("later seq")
        if wrong:
            faults.append((of_row(books, row), frozenset(wrong)))
    return Answer(faults, len(seen), books.unseen)


def wrong_fields(one: Meant, row: Row, state: State) -> set[str]:
    """What is wrong with a row as one look found it. Of several rows nobody can tell what they should be like, but of the
    one that was answered."""
    sent = one.first
    wrong = {
        "text": state.text != sent.text,
        "sender": state.sender != sent.person,
        "chat": state.chat != sent.chat,
        "deleted": state.deleted,
    }
    alone = len(one.rows) == 1
    if alone or (one.ids and one.ids[0] == row.id):
        wrong["key"] = sent.key is not None and state.key != sent.key
        if len(set(one.ids)) <= 1:
            wrong["id"] = alone and row.id not in (one.ids or [row.id])
            wrong["seq"] = len(set(one.seqs)) == 1 and state.seq not in (None, one.seqs[0])
    return {name for name, is_so in wrong.items() if is_so}


def retries(ledger: Ledger) -> Answer:
    """Repeated messages that were answered in two ways, or of which there ever was more than one row."""
    books = Books(ledger)
    repeated = [one for one in books.meant if len(one.attempts) > 1 and (one.ok or one.rows)]
    faults: list[Hashable] = [
        (of_meant(books, one), len(set(one.ids)) > 1, len(set(one.seqs)) > 1, len(one.rows) > 1)
        for one in repeated
        if len(set(one.ids)) > 1 or len(set(one.seqs)) > 1 or len(one.rows) > 1
    ]
    attempts = sum(len(one.attempts) for one in repeated)
    return Answer(faults, len(repeated), books.unseen, facts={"attempts": attempts})


def of_row(books: Books, row: Row) -> Hashable:
    """How a finding names a row: chat, seq, id, the key of its message, its sender, and when it was first seen."""
    state, sent = row.state, row.of.first if row.of is not None else None
    key = sent.key if state.key is None and sent is not None else state.key
    sender = sent.person if state.sender is None and sent is not None else state.sender
    first_seen = ns(books.ledger.polls[row.first_poll].at)
    return state.chat, state.seq, str(message_id(row.id)), _key(key), sender, first_seen


def of_meant(books: Books, one: Meant) -> Hashable:
    """How a finding names a message: by what was sent and when, and by what was first answered, or else stored."""
    sent = one.first
    stored = one.rows[-1] if one.rows else None
    told = one.ids[0] if one.ids else stored and stored.id
    seq = one.seqs[0] if one.seqs else stored and stored.state.seq
    name = None if told is None else str(message_id(told))
    left = books.ledger.dated(sent.person, sent.left)
    return sent.chat, seq, name, _key(sent.key), sent.person, None if left is None else ns(left)


def _key(number: int | None) -> str | None:
    return None if number is None else str(key_id(number))
