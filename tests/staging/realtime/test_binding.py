import pytest

from staging.realtime.binding import ALL_EVENTS, Binding, BindingError, JoinConfig, parse_binding, parse_join
from staging.realtime.filters import Filter


def test_a_join_is_read_leniently_as_supabase_does() -> None:
    entry = {"event": "INSERT", "schema": "public", "table": "t"}
    payload = {
        "config": {
            "broadcast": {"ack": "true", "self": True},
            "presence": {"key": "", "enabled": False},
            "postgres_changes": [entry, None],
        }
    }
    assert parse_join(payload) == JoinConfig(True, True, False, False, False, (entry,))
    for strange in (None, [], {"config": []}, {"config": {"broadcast": 1, "postgres_changes": {}}}):
        assert parse_join(strange) == JoinConfig(False, False, False, False, False, ())


def test_the_reply_echoes_the_entries_with_ids_that_are_never_zero() -> None:
    one = {"event": "INSERT", "schema": "public", "table": "t"}
    two = {"event": "*", "schema": "public", "table": "t", "filter": "id=eq.1"}
    reply = parse_join({"config": {"postgres_changes": [one, two, dict(reversed(one.items()))]}}).reply()
    echoed = reply["postgres_changes"]
    assert isinstance(echoed, list)
    assert [{key: value for key, value in entry.items() if key != "id"} for entry in echoed] == [
        one,
        two,
        one,
    ]
    ids = [entry["id"] for entry in echoed]
    assert ids[0] == ids[2] != ids[1]
    assert all(0 < number < 2**27 for number in ids)


@pytest.mark.parametrize(
    ("entry", "schema", "table", "events"),
    [
        ({"schema": "public", "table": "t"}, "public", "t", ALL_EVENTS),
        ({"schema": "app"}, "app", "*", ALL_EVENTS),
        ({"table": "t", "event": "insert"}, "public", "t", frozenset({"INSERT"})),
        ({"schema": "*", "event": "*"}, "*", "*", ALL_EVENTS),
        ({"schema": "public", "table": "t", "event": "TRUNCATE"}, "public", "t", ALL_EVENTS),
    ],
)
def test_what_is_missing_has_a_default(
    entry: dict[str, object], schema: str, table: str, events: frozenset[str]
) -> None:
    binding = parse_binding(entry)
    assert (binding.schema, binding.table, binding.events) == (schema, table, events)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {},
            "No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: {}",
        ),
        ({"table": "t", "filter": "id=eq.1"}, "No subscription params provided."),
        ({"schema": "public", "table": "t", "filter": None}, "No subscription params provided."),
        ({"schema": 1, "table": "t"}, "No subscription params provided."),
        (
            {"schema": "public", "table": "t", "filter": "id=foo.1"},
            'Error parsing `filter` params: ["foo", "1"]',
        ),
        (
            {"schema": "public", "table": "t", "select": "id"},
            "Error parsing `select` params: expected a list",
        ),
        (
            {"schema": "public", "select": ["id"]},
            "Column selection is not supported for wildcard subscriptions.",
        ),
    ],
)
def test_refuses_in_supabases_words(entry: dict[str, object], message: str) -> None:
    with pytest.raises(BindingError) as refused:
        parse_binding(entry)
    assert str(refused.value).startswith(message)


def test_is_described_as_in_supabases_errors() -> None:
    binding = Binding(1, ALL_EVENTS, "public", "t", (Filter("id", "eq", "1"),))
    assert binding.described() == (
        'event: *, schema: public, table: t, filters: [{"id", "eq", "1", false}], select: nil'
    )
