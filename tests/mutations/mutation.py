"""A small mistake that somebody could make: one line."""

from typing import NamedTuple


class Mutation(NamedTuple):
    """In `file`, the first `old` becomes `new`."""

    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}: {self.old.strip()}  →  {self.new.strip()}"


def of(file: str, *changes: tuple[str, str]) -> list[Mutation]:
    """Mutations of one checker."""
    return [Mutation(f"analysis/checks/{file}.py", old, new) for old, new in changes]
