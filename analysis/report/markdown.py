"""Text of a run inside Markdown, where nothing in it may be acted upon."""

_HARMLESS = {ord(sign): f"\\{sign}" for sign in "\\`*_[]#!"} | {
    ord(sign): f"&#{ord(sign)};" for sign in "<>&|"
}


def plain(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown or HTML would act upon."""
    return " ".join(text.split()).translate(_HARMLESS)
