import pytest

from staging.realtime.filters import Filter, FilterError, Operand, comparable, matches, parse_filters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   ", []),
        ("id=eq.5", [Filter("id", "eq", "5")]),
        ("id=not.eq.5", [Filter("id", "eq", "5", negate=True)]),
        ("at=gte.2026-11-23T16:00:00.5Z", [Filter("at", "gte", "2026-11-23T16:00:00.5Z")]),
        ("status=in.(sent,read)", [Filter("status", "in", "{sent,read}")]),
        ("id=gt.0,id=lt.100", [Filter("id", "gt", "0"), Filter("id", "lt", "100")]),
        (
            "a=in.(x,y),b=neq.z",
            [Filter("a", "in", "{x,y}"), Filter("b", "neq", "z")],
        ),
        ('a=eq."x,y",b=eq.z', [Filter("a", "eq", "x,y"), Filter("b", "eq", "z")]),
        ('a=eq."say \\"hi\\""', [Filter("a", "eq", 'say "hi"')]),
        ('a=eq."open', [Filter("a", "eq", '"open')]),
        ("a=eq.b=c", [Filter("a", "eq", "b=c")]),
        ("a=is.null", [Filter("a", "is", "null")]),
    ],
)
def test_parses_as_supabase_does(text: str, expected: list[Filter]) -> None:
    assert parse_filters(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject=foo.hey", '["foo", "hey"]'),
        ("undefined", '["undefined"]'),
        ("id=eq", '["eq"]'),
        ("id=in.1,2", "`in` filter value must be wrapped by parentheses"),
        ("id=eq.1,", "filter must not contain empty segments (check for extra commas)"),
        ("id=eq.1,,id=eq.2", "filter must not contain empty segments (check for extra commas)"),
    ],
)
def test_refuses_in_supabases_words(text: str, message: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse_filters(text)
    assert str(refused.value) == message


def operand(kind: str, *values: str) -> Operand:
    several = frozenset(comparable(kind, value) for value in values)
    return several if len(values) > 1 else comparable(kind, values[0])


@pytest.mark.parametrize(
    ("operator", "kind", "values", "fitting", "not_fitting"),
    [
        ("eq", "int8", ["10"], ["10"], ["9", "100"]),
        ("eq", "numeric", ["1.0"], ["1.00"], ["1.01"]),
        ("neq", "text", ["sent"], ["read"], ["sent"]),
        ("lt", "int8", ["10"], ["9"], ["10", "100"]),
        ("lte", "int8", ["10"], ["9", "10"], ["11"]),
        ("gt", "int8", ["9"], ["10"], ["9", "-10"]),
        (
            "gte",
            "timestamptz",
            ["2026-11-23 16:00:00+00"],
            ["2026-11-23 16:00:00.5+00"],
            ["2026-11-23 15:59:59+00"],
        ),
        ("in", "text", ["sent", "read"], ["read"], ["delivered"]),
        ("like", "text", ["a_c%"], ["abc", "abcd\n"], ["ac", "xabc", "ABC"]),
        ("ilike", "text", ["a\\%c"], ["A%c"], ["abc"]),
        ("isdistinct", "text", ["a"], ["b"], ["a"]),
        ("is", "bool", ["true"], ["t"], ["f"]),
    ],
)
def test_compares_as_the_columns_type_does(
    operator: str, kind: str, values: list[str], fitting: list[str], not_fitting: list[str]
) -> None:
    against = values[0] if operator == "is" else operand(kind, *values)
    for negate in (False, True):
        condition = Filter("column", operator, "", negate)
        for value, fits in [(v, True) for v in fitting] + [(v, False) for v in not_fitting]:
            assert matches(condition, against, kind, {"column": value}) is (fits != negate), (value, negate)


def test_null_and_missing_columns_fit_nothing_but_the_operators_that_ask_for_them() -> None:
    for operator in ("eq", "neq", "lt", "gt", "like"):
        for negate in (False, True):
            assert not matches(Filter("a", operator, "", negate), "x", "text", {"a": None})
            assert not matches(Filter("a", operator, "", negate), "x", "text", {})
    assert matches(Filter("a", "is", "null"), "null", "text", {"a": None})
    assert matches(Filter("a", "isdistinct", "x"), "x", "text", {"a": None})
    assert not matches(Filter("a", "is", "null"), "null", "text", {})
