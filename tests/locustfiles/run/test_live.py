"""Promise: what the monitor and the load processes notice stands in the tab with its criterion, and what nobody judges yet is not called right."""

from locust.stats import RequestStats

from locustfiles.clients.auth import SIGN_IN
from locustfiles.run.live import AFTERWARDS, NEWEST_KEPT, Live
from locustfiles.run.progress import Piece

SENDS = "/api/messages"


def table(live: Live, stats: RequestStats | None = None) -> dict[str, tuple[str, str]]:
    return {row["what"]: (row["count"], row["newest"]) for row in live.rows(SENDS, stats or RequestStats())}


def heard(*lines: dict[str, object]) -> Live:
    live = Live()
    live.hear({"ready": True, "chats": 3, "judges": ["seq.missing", "status.invalid"]})
    for line in lines:
        live.hear(line)
    return live


def test_before_anything_is_known_nothing_is_claimed() -> None:
    shown = table(Live())
    assert shown["sends"] == ("0", "0 of them without an acknowledgement")
    assert shown["all other criteria"] == ("", AFTERWARDS)
    assert "seq.missing" not in shown


def test_a_finding_stands_with_its_criterion_and_the_newest_first() -> None:
    live = heard(
        {"finding": {"criterion": "seq.missing", "why": "Message a: it has no seq."}},
        {"finding": {"criterion": "seq.missing", "why": "Message b: it has no seq."}},
    )
    shown = table(live)
    assert shown["seq.missing"] == ("2", "Message b: it has no seq.")
    assert shown["status.invalid"] == ("0", "nothing so far")


def test_the_newest_findings_stand_below_each_with_its_criterion() -> None:
    live = heard(
        *({"finding": {"criterion": "seq.missing", "why": f"Message {n}."}} for n in range(NEWEST_KEPT + 3))
    )
    below = [row for row in live.rows(SENDS, RequestStats()) if row["what"] == "finding of seq.missing"]
    assert [row["newest"] for row in below] == [f"Message {n}." for n in range(NEWEST_KEPT + 2, 2, -1)]


def test_what_a_load_process_notices_stands_among_the_others() -> None:
    live = heard({"finding": {"criterion": "realtime.duplicated", "why": "Message a: again.", "seq": 3}})
    shown = table(live)
    assert shown["realtime.duplicated"] == ("1", "Message a: again.")
    assert shown["finding of realtime.duplicated"] == ("", "Message a: again.")
    assert shown["realtime.reordered"] == ("0", "nothing so far")
    assert shown["history.pages"] == ("0", f"nothing so far; the rest is {AFTERWARDS}")


def test_a_flood_is_counted_whether_a_sentence_tells_of_it_or_not() -> None:
    live = heard({"finding": {"criterion": "realtime.duplicated", "why": "Message a: again."}})
    assert live.hear({"finding": {"more": {"realtime.duplicated": 99_999}}}) is None
    assert live.hear({"finding": {"why": "More findings."}}) == "More findings."
    assert table(live)["realtime.duplicated"] == ("100,000", "Message a: again.")
    (first, *_) = live.pieces(SENDS, RequestStats(), 0, 500)
    assert first == Piece("100,000 findings", alarming=True)


def test_a_finding_is_handed_on_in_words_and_a_look_is_not() -> None:
    assert heard().hear({"finding": {"criterion": "seq.missing", "why": "It has none."}}) == "It has none."
    assert heard().hear({"look": {"number": 4, "stored": 12, "error": None}}) is None


def test_words_of_the_database_mislead_nobody() -> None:
    words = "Gone.\x1b[2J\u202e\nPASS"
    live = Live()
    finding = {"finding": {"criterion": "seq.missing", "why": words}}
    assert live.hear({"judges": ["seq.missing"], **finding}) == "Gone.[U+001B][2J[U+202E] PASS"
    live.hear({"look": {"number": 4, "stored": 12, "error": words}})
    shown = table(live)
    assert shown["seq.missing"] == ("1", "Gone.[U+001B][2J[U+202E] PASS")
    assert shown["monitor.complete"][1].endswith("Gone.[U+001B][2J[U+202E] PASS")


def test_findings_that_were_too_many_to_say_are_counted() -> None:
    more = {"finding": {"why": "3 more at this look: see findings.jsonl.", "more": {"seq.missing": 3}}}
    assert table(heard(more))["seq.missing"] == ("3", "nothing so far")


def test_looks_tell_what_is_stored_and_whether_the_database_answers() -> None:
    live = heard({"look": {"number": 4, "stored": 1200, "error": None}})
    assert table(live)["stored messages"] == ("1,200", "after 5 looks at the database")
    assert "monitor.complete" not in table(live)
    live.hear({"look": {"number": 5, "stored": 1200, "error": "ConnectionRefusedError"}})
    assert table(live)["monitor.complete"] == ("1", "the database did not answer: ConnectionRefusedError")


def test_what_outsiders_tried_is_counted_and_what_they_were_let_is_named() -> None:
    stats = RequestStats()
    stats.log_request("GET", "/api/messages (outsider)", 5, 10)
    stats.log_request("POST", "/api/messages (outsider)", 5, 10)
    assert table(heard(), stats)["access.denied"] == ("0", "nothing so far, of 2 attempts")
    live = heard({"finding": {"criterion": "access.denied", "why": "Chat a: somebody was let."}})
    assert table(live, stats)["access.denied"] == ("1", "Chat a: somebody was let.")


def test_sends_are_those_of_locust() -> None:
    stats = RequestStats()
    for _ in range(3):
        stats.log_request("POST", SENDS, 5, 10)
    stats.log_error("POST", SENDS, "HTTP 500")
    assert table(heard(), stats)["sends"] == ("3", "1 of them without an acknowledgement")


def test_a_load_process_that_cannot_keep_up_stands_there_with_its_seconds() -> None:
    live = heard()
    assert "generator.healthy" not in table(live)
    live.strained("worker-0", 3, "worker-0 cannot keep up.")
    live.strained("worker-1", 1, "worker-1 cannot keep up.")
    assert table(live)["generator.healthy"] == ("3", "worker-1 cannot keep up.")
    live.strained("worker-0", 3, "worker-0 keeps up again.")
    assert table(live)["generator.healthy"] == ("3", "worker-0 keeps up again.")


def test_a_run_in_words() -> None:
    stats = RequestStats()
    for took_ms in (20, 30):
        stats.log_request("POST", SENDS, took_ms, 0)
    live = heard(
        {"look": {"number": 4, "stored": 1234, "error": None}}, {"finding": {"criterion": "a", "why": "b"}}
    )
    stats.log_request("POST", SIGN_IN, 90, 0)
    found, p95, rate, stored, users = live.pieces(SENDS, stats, 1, 500)
    assert found == Piece("1 finding", alarming=True)
    assert p95 == Piece("P95 ~30 of 500 ms")
    assert rate.text.endswith(" sends/s")
    assert stored == Piece("1,234 stored")
    assert users == Piece("1 user")


def test_what_needs_attention_is_alarming() -> None:
    stats = RequestStats()
    stats.log_request("POST", SENDS, 600, 0)
    stats.log_request("POST", SIGN_IN, 90, 0)
    stats.log_request("POST", SIGN_IN, 90, 0)
    stats.log_error("POST", SIGN_IN, "400")
    live = heard({"look": {"number": 4, "stored": 0, "error": "it is gone"}})
    pieces = live.pieces(SENDS, stats, 3, 500)
    assert [piece.text for piece in pieces if piece.alarming] == [
        "the database does not answer",
        "P95 ~600 of 500 ms",
    ]
    assert Piece("1 of 3 users signed in") in pieces
