"""Turns a matplotlib figure into SVG that lives inside a page and follows its colours.

A plot is drawn in placeholder colours, one for each role; the SVG then says `var(--plot-…)` in their place,
so that the page's style sheet decides, for light, dark and paper. Text stays text: it can be selected, read
aloud and found. The same figure always gives the same bytes.
"""

import io
import re
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Roles of colour. The style sheet defines `--plot-<role>` for each.
ROLES = (
    "ink", "muted", "grid", "face", "avg", "p50", "p95", "p99", "max", "ok", "bad", "other", "shade", "step",
)  # fmt: skip
COLOUR = {role: f"#0f{number:02x}f0" for number, role in enumerate(ROLES)}
_ROLE_OF = {colour: role for role, colour in COLOUR.items()}

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "chatsoak",
    "path.simplify": True,
    "path.simplify_threshold": 0.1,  # of a pixel: invisible
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "text.color": COLOUR["ink"],
    "axes.edgecolor": COLOUR["grid"],
    "axes.labelcolor": COLOUR["muted"],
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOUR["grid"],
    "grid.linewidth": 0.6,
    "xtick.major.pad": 5,
    "xtick.color": COLOUR["grid"],
    "ytick.color": COLOUR["grid"],
    "xtick.labelcolor": COLOUR["muted"],
    "ytick.labelcolor": COLOUR["muted"],
    "lines.linewidth": 1.4,
    "lines.solid_joinstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.4,
    "legend.columnspacing": 1.2,
    "legend.borderpad": 0,
    "legend.borderaxespad": 0,
    "figure.facecolor": "none",
}


def style() -> AbstractContextManager[None]:
    """The look of every plot, for the time of drawing and of `to_svg`."""
    context: AbstractContextManager[None] = mpl.rc_context(STYLE)
    return context


def to_svg(figure: Figure, name: str) -> str:
    """`figure` as an SVG element; ids inside begin with `name`, which is unique in the page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)  # it would hold for the whole page
    return re.sub(r"<[^>]+>", lambda tag: _in_page(tag.group(), name), svg)


def _in_page(tag: str, name: str) -> str:
    """`tag` with ids of its own, the page's colours, and no more digits than a screen can show."""
    tag = re.sub(r" id=\"", f' id="{name}-', tag)
    tag = re.sub(r"(url\(|href=\")#", rf"\g<1>#{name}-", tag)
    tag = re.sub(r"#0f[0-9a-f]{2}f0", lambda found: f"var(--plot-{_ROLE_OF[found.group()]})", tag)
    tag = re.sub(r"font: (\d[\d.]*)px [^;\"]+", r"font-size: \1px", tag)
    if tag.startswith("<svg"):
        tag = re.sub(r"\s(width|height)=\"[\d.]+pt\"", "", tag)
    return re.sub(r"(-?\d+\.\d{2})\d+", r"\1", tag)


def elapsed(seconds: float, _: object = None) -> str:
    """`seconds` since the first send as people write it: 0:42, 12:05, 3:07:00."""
    sign, whole = ("-" if seconds < 0 else ""), abs(round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"


def time_ticks(axes: Any, span_s: float, most: int) -> None:
    """At most `most` ticks on the time axis, on seconds, minutes or hours that people count in."""
    steps = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
    step = next((step for step in steps if span_s / step <= most), 7 * 86400)
    low, high = axes.get_xlim()
    first = -(-low // step)
    axes.set_xticks([tick * step for tick in range(int(first), int(high // step) + 1)])
    axes.xaxis.set_major_formatter(FuncFormatter(elapsed))


def whole_ticks(most: int) -> MaxNLocator:
    """Ticks on round numbers."""
    return MaxNLocator(nbins=most, steps=[1, 2, 5, 10])
