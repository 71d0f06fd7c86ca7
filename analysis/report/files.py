"""How the report's files are written."""

from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write `text` to `path` so that a reader never sees half of it.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
