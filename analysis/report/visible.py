"""Texts of a run as they may be shown: whoever wrote them may have meant to mislead a reader or a browser."""

import re

# Characters that would turn the rest of a line around, or that show nothing at all.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """`text` with its control characters named in place of being obeyed."""
    return _UNSEEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)
