"""Texts from outside as they may be shown: whoever wrote them may have meant to mislead a reader, a terminal or a browser.

What is named in place of being obeyed, or of being overlooked:

- control characters, escape sequences among them, but for tabs and the ends of lines;
- what turns the rest of a line around, and line ends that only some programs know;
- characters that show nothing at all (Unicode's Default_Ignorable_Code_Point, DerivedCoreProperties.txt);
- halves of a surrogate pair, which no file can hold.

Joiners and variation selectors show nothing by themselves either, but emoji (a family, a flag) and several scripts (Persian,
Hindi) are written with them: they stay where such a character stands on both sides of a joiner, or before a selector.
Anywhere else, as within a Latin word, they only make two texts differ that look the same.
"""

import re

_EMOJI = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_JOINING = _EMOJI + "\ufe0f\u0600-\u109f\u1780-\u18af\ua840-\ua87f\ua8e0-\ua8ff\U00010a00-\U00011fff"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)"
    "|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164]"
    "|[\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb]"
    "|[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    f"|(?<![{_JOINING}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINING}])"
    f"|(?<![{_EMOJI}#*0-9])[\ufe0e\ufe0f]"
)


def visible(text: str) -> str:
    """`text` with what would be obeyed or overlooked named: ``[U+001B]``."""
    return _UNSEEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)


def in_a_line(text: str) -> str:
    """`text` as `visible` has it, on one line: none of it can pass for a line of ours."""
    return " ".join(visible(text).split())
