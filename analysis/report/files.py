"""How the report's files are written."""

from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write `text` to `path` so that a reader never sees half of it.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(path.name + ".part")
    # A lone surrogate has no UTF-8; what tells of a run must not fail for one.
    temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    temporary.replace(path)
