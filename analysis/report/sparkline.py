"""A small curve beside a number: a figure over the runs of a history, with marks where it stepped. Plain SVG, no library."""

from collections.abc import Collection, Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT = 240, 40
SHORT_WIDTH = 84
MARGIN = 4


def sparkline(
    values: Sequence[float],
    label: str,
    *,
    steps: Collection[int] = (),
    hollow: Collection[int] = (),
    width: int = WIDTH,
) -> Markup:
    """The curve of `values`, oldest first, from its lowest to its highest, its newest value as a dot.

    Args:
        label: what it shows, for those who cannot see it.
        steps: places in `values` from which on the level is another.
        hollow: places in `values` that are not to be relied on: a hollow dot each, which the curve passes by, and which
            lies at the edge where it is beyond the others.
        width: in CSS pixels at most; it shrinks with its column.
    """
    believed = [value for place, value in enumerate(values) if place not in hollow] or values
    low, high = (min(believed), max(believed)) if believed else (0.0, 0.0)
    span = high - low or 1.0
    inner, tall = width - 2 * MARGIN, HEIGHT - 2 * MARGIN
    places = [
        (
            MARGIN + inner * (number / (len(values) - 1) if len(values) > 1 else 1.0),
            MARGIN + tall * (1 - (min(max(value, low), high) - low) / span if high > low else 0.5),
        )
        for number, value in enumerate(values)
    ]
    marks = "".join(
        f'<line class="step" x1="{places[step][0]:.1f}" x2="{places[step][0]:.1f}" y1="0" y2="{HEIGHT}"/>'
        for step in steps
    )
    solid = [place for number, place in enumerate(places) if number not in hollow]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in solid)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in solid[-1:]]
    dots += [
        f'<circle class="hollow" cx="{places[place][0]:.1f}" cy="{places[place][1]:.1f}" r="2.5"/>'
        for place in hollow
    ]
    return Markup(  # noqa: S704 - made of numbers, and a label that is escaped
        f'<svg class="spark" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{marks}<polyline points="{path}"/>{"".join(dots)}</svg>'
    )
