"""A small curve beside a number: a figure over the runs of a history, with marks where it stepped. Plain SVG, no library."""

from collections.abc import Collection, Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 240, 40
SHORT_WIDTH = 84
MARGIN = 4


def sparkline(values: Sequence[float], steps: Collection[int] = (), *, width: int = WIDTH) -> Markup:
    """The curve of `values`, oldest first, from their lowest to their highest, its newest value as a dot.

    It is hidden from screen readers: whatever it shows has to stand beside it in words.

    Args:
        steps: places in `values` from which on the level is another.
        width: in CSS pixels at most; it shrinks with its column.
    """
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    span = high - low or 1.0
    inner, tall = width - 2 * MARGIN, HEIGHT - 2 * MARGIN
    places = [
        (
            MARGIN + inner * (number / (len(values) - 1) if len(values) > 1 else 1.0),
            MARGIN + tall * (1 - (value - low) / span if high > low else 0.5),
        )
        for number, value in enumerate(values)
    ]
    marks = "".join(
        f'<line class="step" x1="{places[step][0]:.1f}" x2="{places[step][0]:.1f}" y1="0" y2="{HEIGHT}"/>'
        for step in steps
    )
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dot = f'<circle cx="{places[-1][0]:.1f}" cy="{places[-1][1]:.1f}" r="2.5"/>' if places else ""
    return Markup(  # noqa: S704 - made of numbers alone
        f'<svg class="spark" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" aria-hidden="true">'
        f'{marks}<polyline points="{path}"/>{dot}</svg>'
    )
