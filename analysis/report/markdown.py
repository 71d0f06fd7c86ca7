"""Text of a run inside Markdown, where nothing in it may be acted upon."""

import re

from analysis.visible import in_a_line

# GitHub and GitLab look for addresses, mentions, references, emoji by name and maths when the Markdown is HTML already, where
# a sign that was escaped is a sign again; a time of day is no emoji. A space of no width beside it hinders these, an element of its own hinders maths.
_APART = "&#8203;"
_HARMLESS = (
    {ord(sign): f"\\{sign}" for sign in "\\`*_[]!~"}
    | {ord(sign): f"&#{ord(sign)};" for sign in "<>&|"}
    | {ord(sign): f"{sign}{_APART}" for sign in "@#"}
    | {ord("$"): "<span>&#36;</span>"}
)
_ADDRESS_OR_EMOJI = re.compile(r"(?<=:)(?!(?<=\d:)\d+:)(?=//|[\\\w+-]+:)|(?<=www)(?=\.)", re.IGNORECASE)
_LIST = re.compile(r"^\d*(?=[-+.)] )")


def plain(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown, HTML or who shows them would act upon."""
    escaped = in_a_line(text).translate(_HARMLESS)
    return _LIST.sub(r"\g<0>\\", _ADDRESS_OR_EMOJI.sub(_APART, escaped))
