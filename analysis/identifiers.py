"""UUIDs as small numbers: exact, and a quarter of the memory.

Judging a run joins tables by ids over and over. Here every id of one kind, wherever in the record it
stands, gets one number, so that equal ids have equal numbers and joins work on 32-bit integers.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analysis.record.tables import UUID

Codes = NDArray[np.int32]

NONE = -1  # the code of an absent id


class Identifiers:
    """One kind of ids: code → UUID text and back."""

    def __init__(self, ids: pa.Array) -> None:
        self._ids = ids
        self._codes: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def text(self, code: int) -> str | None:
        """The UUID with this code; None for `NONE`."""
        return None if code < 0 else str(uuid.UUID(bytes=self._ids[int(code)].as_py()))

    def code(self, text: str) -> int:
        """The code of a UUID; `NONE` when the record has no such id."""
        if self._codes is None:
            self._codes = {str(uuid.UUID(bytes=raw)): code for code, raw in enumerate(self._ids.to_pylist())}
        return self._codes.get(text, NONE)


def encode(columns: Mapping[str, Sequence[pa.Array]]) -> tuple[Identifiers, dict[str, Codes]]:
    """Give the ids of all `columns` codes of one space.

    Args:
        columns: for each column its pieces, in order; nulls stay apart as `NONE`.
    """
    pieces = [piece for column in columns.values() for piece in column if len(piece)]
    if not pieces:
        return Identifiers(pa.array([], UUID)), {name: np.empty(0, np.int32) for name in columns}
    encoded = pa.chunked_array(pieces, UUID).dictionary_encode()
    indices = iter(encoded.chunks)
    codes = {}
    for name, column in columns.items():
        parts = [_filled(next(indices)) for piece in column if len(piece)]
        codes[name] = np.concatenate(parts) if parts else np.empty(0, np.int32)
    return Identifiers(encoded.chunk(encoded.num_chunks - 1).dictionary), codes


def _filled(encoded: pa.DictionaryArray) -> Codes:
    filled: Codes = (
        encoded.indices.fill_null(NONE).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    )
    return filled


def uuid_array(texts: Iterable[str]) -> pa.Array:
    """UUID texts as a column of ids."""
    return pa.array([uuid.UUID(text).bytes for text in texts], UUID)
