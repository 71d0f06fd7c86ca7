"""Promise: a rate over time is what its text says, and its inverse is exact; what cannot be is refused with one sentence."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.rates import RateCurve

TEXT = "0s:10,60s:50,2m:50,180s:5"


def test_a_lone_number_is_the_same_rate_all_the_time() -> None:
    curve = RateCurve.parse(" 40 ")
    assert [curve.at(0), curve.at(1e6)] == [40, 40]
    assert curve.expected(10) == 400
    assert curve.when(400) == 10


def test_between_points_the_rate_goes_in_a_straight_line_and_after_them_it_stays() -> None:
    curve = RateCurve.parse(TEXT)
    assert [curve.at(t) for t in (0, 30, 60, 90, 120, 150, 180, 1000)] == [10, 30, 50, 50, 50, 27.5, 5, 5]
    assert curve.expected(60) == 1800
    assert curve.expected(180) == 1800 + 3000 + 1650
    assert curve.expected(280) == curve.expected(180) + 500


@st.composite
def curves(draw: st.DrawFn) -> RateCurve:
    gaps = draw(st.lists(st.floats(0.01, 1000), max_size=5))
    times = [0.0]
    for gap in gaps:
        times.append(times[-1] + gap)
    rates = [draw(st.just(0.0) | st.floats(0.01, 1000)) for _ in times]
    rates[draw(st.integers(0, len(rates) - 1))] = draw(st.floats(0.01, 1000))
    return RateCurve(tuple(zip(times, rates, strict=True)))


@given(curve=curves(), share=st.floats(0, 1))
def test_the_inverse_is_exact(curve: RateCurve, share: float) -> None:
    end_s = curve.points[-1][0] + 10
    wanted = share * curve.expected(end_s)
    when_s = curve.when(wanted)
    assert 0 <= when_s <= end_s * (1 + 1e-9)
    assert curve.expected(when_s) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(curve=curves(), some=st.lists(st.floats(0, 1e6), min_size=2, max_size=20))
def test_later_arrivals_are_never_earlier(curve: RateCurve, some: list[float]) -> None:
    times = [curve.when(expected) for expected in sorted(some)]
    assert times == sorted(times)


def test_what_will_never_be_expected_never_comes() -> None:
    curve = RateCurve.parse("0s:10,10s:0")
    assert curve.when(50) == 10
    assert math.isinf(curve.when(50.1))


def test_a_curve_keeps_its_form_when_scaled() -> None:
    curve = RateCurve.parse(TEXT)
    assert curve.scaled(0.5).expected(100) == curve.expected(100) / 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a number above 0, such as 40, or points"),
        ("many", "found 'many'"),
        ("0", "above 0 somewhere"),
        ("-1", "found '-1'"),
        ("nan", "found 'nan'"),
        ("inf", "found 'inf'"),
        ("0s:10,60:50", "found '60:50'"),
        ("0s:10,,60s:50", "found ''"),
        ("10s:10,60s:50", "first point must be at 0s"),
        ("0s:10,60s:50,60s:5", "later than the one before"),
        ("0s:0,60s:0", "above 0 somewhere"),
        ("0s:1.2.3", "found '0s:1.2.3'"),
    ],
)
def test_what_is_no_rate_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="expected a number above 0") as error:
        RateCurve.parse(text)
    assert words in str(error.value)
