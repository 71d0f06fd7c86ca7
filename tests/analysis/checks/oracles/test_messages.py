"""Promise: `messages.*` and `idempotency.retries` say of any sends and rows what plain loops over them say."""

import re
import uuid
from collections.abc import Callable, Hashable

import pytest
from hypothesis import given

from analysis.checks import corruption, idempotency, messages
from analysis.checks.account import Account, account_for
from analysis.criteria import Criterion, Finding
from tests.analysis.checks.oracles import message_oracles
from tests.analysis.checks.oracles.answer import Answer, agree
from tests.analysis.checks.oracles.clerks import kept_books
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.ledger import Ledger, recorded
from tests.analysis.checks.oracles.story import chat_id, person_id

CHATS, PEOPLE = [chat_id(number) for number in range(2)], [person_id(number) for number in range(3)]

WRONGS = {
    "text": "The text ",
    "sender": "It was sent by ",
    "chat": "It was sent to chat ",
    "key": "It was sent with client_generated_id ",
    "id": "The answer gave it the id ",
    "seq": "The answer gave it seq ",
    "later seq": "Its seq was changed from ",
    "deleted": "Its deleted_at ",
}


def message(finding: Finding) -> Hashable:
    chat, sender = uuid.UUID(finding.chat_id), uuid.UUID(finding.sender_id)
    return (
        CHATS.index(chat), finding.seq, finding.message_id, finding.client_generated_id,
        PEOPLE.index(sender), finding.at_ns,
    )  # fmt: skip


def copies(finding: Finding) -> Hashable:
    named = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", finding.why)
    return message(finding), frozenset(named)


def fields(finding: Finding) -> Hashable:
    return message(finding), frozenset(name for name, words in WRONGS.items() if words in finding.why)


def repeats(finding: Finding) -> Hashable:
    return message(finding), *(words in finding.why for words in ("different ids", "different seqs", "rows"))


CHECKS: dict[
    str, tuple[Callable[[Account], Criterion], Callable[[Ledger], Answer], Callable[[Finding], Hashable]]
] = {
    "lost": (messages.lost, message_oracles.lost, message),
    "unexpected": (messages.unexpected, message_oracles.unexpected, message),
    "duplicated": (messages.duplicated, message_oracles.duplicated, copies),
    "corrupted": (corruption.corrupted, message_oracles.corrupted, fields),
    "retries": (idempotency.retries, message_oracles.retries, repeats),
}


@pytest.mark.parametrize("examples", EXAMPLES)
def test_the_checkers_agree_with_their_oracles(examples: int | None) -> None:
    @thoroughly(examples)
    @given(kept_books())
    def agrees(ledger: Ledger) -> None:
        account = account_for(recorded(ledger))
        for check, oracle, about in CHECKS.values():
            agree(check(account), oracle(ledger), about)

    agrees()
