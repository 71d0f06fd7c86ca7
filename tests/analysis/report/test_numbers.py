"""Figures for people: enough digits, and never across the target."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report.numbers import interval, limit, listed, number, observed, plural, span, within


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (0.5, "0.50"),
        (84.24, "84.2"),
        (1062.26, "1,062"),
        (-3.14159, "-3.14"),
    ],
)
def test_figures_have_as_many_digits_as_say_something(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(499.96, "499.96"), (499.999999, "499.999999"), (500.0, "500.0"), (500.04, "500.04")]
)
def test_a_rounded_figure_stays_on_its_side_of_the_target(value: float, text: str) -> None:
    assert number(value, 500) == text


@given(st.integers(1, 10**10))
def test_no_measured_latency_is_written_as_if_it_met_a_target_that_it_missed(ns: int) -> None:
    value = ns / 1_000_000
    written = float(number(value, 500.0).replace(",", ""))
    assert (value < 500) == (written < 500)


def test_units_and_targets() -> None:
    entry = {"observed": 1, "unit": "messages", "target": "0", "ci95": None}
    assert observed(entry) == "1 message"
    assert observed(entry | {"observed": 2}) == "2 messages"
    assert observed(entry | {"observed": 0.04, "unit": "%", "target": "≤ 0.1%"}) == "0.04%"
    assert observed(entry | {"observed": 1, "unit": "ms", "target": "< 500 ms"}) == "1 ms"
    assert observed(entry | {"observed": 1, "unit": "series"}) == "1 series"
    assert observed(entry | {"observed": 1, "unit": "deliveries"}) == "1 delivery"
    assert observed(entry | {"observed": None}) == "nothing seen"
    assert interval(entry) is None
    assert interval(entry | {"ci95": [1.5, 20.0]}) == "1.50 to 20.0"
    assert interval(entry | {"ci95": [1.5, 20.0], "facts": {"short_run": 1}}) == "at least 1.50 to 20.0"
    assert interval(entry | {"ci95": [1.5, 20.0], "facts": {"too_few": 1}}) == "at least 1.50 to 20.0"
    assert (limit("< 500 ms"), limit("≤ 0.1%"), limit("0"), limit("none")) == (500, 0.1, 0, None)
    assert plural(1, "user") == "1 user"
    assert plural(1000, "delivery", "deliveries") == "1,000 deliveries"
    assert within(entry) is None
    assert within(entry | {"ci95": [1.5, 20.0], "unit": "ms"}) == "1.50 to 20.0 ms"
    assert within(entry | {"ci95": [1.5, 20.0], "unit": "%"}) == "1.50 to 20.0%"
    assert (span(3.0, 3.0), span(3.0, 1200.0), span(0.5, 0.7504)) == ("3", "3 to 1,200", "0.50 to 0.75")
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
