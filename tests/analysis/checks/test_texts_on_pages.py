"""Promise: a text that people read in history was sent or stored, or is a finding; what an app does not tell is none."""

import unicodedata

import pytest

from analysis.checks import history
from analysis.checks.account import account_for
from analysis.record.codes import ObservedChange
from tests.analysis.checks.pages import LATER, READER, SENDER, STRANGER, fleeting, judged, named, talk

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Ça va, hôtel ?") for form in ("NFC", "NFD"))


@pytest.mark.parametrize("shown", [COMPOSED, DECOMPOSED, COMPOSED[:-1], "", "another", None])
def test_a_text_that_a_message_never_had_is_a_finding(shown: str | None) -> None:
    run, chat, _ = talk(0)
    message = run.send(SENDER, chat, at=1.0, seq=1, text=COMPOSED)
    run.poll(3)
    run.observe(message, 3)
    run.page(READER, chat, LATER, [message], texts=[shown])
    found = judged(run)
    why = "It stood on a page of history with another text than was sent or stored."
    assert named(found) == [(1, str(message.id), why)] * (shown not in {COMPOSED, None})
    assert found.facts["texts"] == (shown is not None)


@pytest.mark.parametrize("known", ["by a look", "as sent", "not at all"])
def test_a_text_that_was_changed_may_be_shown_as_it_was_or_as_it_became(known: str) -> None:
    run, chat, said = talk(1)
    run.poll(5)
    run.observe(said[0], 5, text="changed", change=ObservedChange.CHANGED)
    text = {"by a look": "changed", "as sent": said[0].text, "not at all": "another"}[known]
    for at in (4.0, LATER):
        run.page(READER, chat, at, said, texts=[text])
    assert len(judged(run).examples) == 2 * (known == "not at all")


@pytest.mark.parametrize("deleted", [False, True])
def test_an_app_may_show_other_words_for_what_is_marked_as_deleted(deleted: bool) -> None:
    run, chat, said = talk(1)
    run.poll(5)
    run.observe(said[0], 5, deleted=deleted, change=ObservedChange.CHANGED)
    run.page(READER, chat, LATER, said, texts=["This message was deleted"])
    assert len(judged(run).examples) == (not deleted)


def test_texts_of_people_who_are_no_users_of_the_run_are_not_judged() -> None:
    run, chat, said = talk(1)
    other_s = fleeting(run, chat, seq=2)
    run.observe(other_s, 3, sender=STRANGER, keyed=False)
    run.page(READER, chat, LATER, [other_s, *said], texts=["whatever", said[0].text])
    found = judged(run)
    assert (named(found), found.facts["texts"]) == ([], 1)


def test_without_a_last_look_no_text_is_judged() -> None:
    run, chat, said = talk(1)
    run.page(READER, chat, LATER, said, texts=["another"])
    found = history.pages(account_for(run.evidence()))
    assert (named(found), found.facts["texts"]) == ([], 0)
