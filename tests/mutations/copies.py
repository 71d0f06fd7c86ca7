"""Copies of the repository, in which a mutation is tried."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutations.mutation import Mutation

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = ("analysis", "locustfiles", "staging", "sql", "tests", "docs", "pyproject.toml")


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the repository to mutate."""
    with tempfile.TemporaryDirectory(prefix="chatsoak-mutate-") as made:
        copy = Path(made)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("node_modules"))
            else:
                shutil.copy(source, copy / part)
        yield copy


@contextmanager
def mutated(copy: Path, mutation: Mutation) -> Iterator[None]:
    """Meanwhile the mutation is in the copy."""
    file = copy / mutation.file
    text = file.read_text(encoding="utf-8")
    assert mutation.old in text, f"stale: {mutation}"
    file.write_text(text.replace(mutation.old, mutation.new, 1), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")
