"""UUIDs as small numbers: exact, and a quarter of the memory.

Judging a run joins tables by ids over and over. Here every id of one kind, wherever in the record it
stands, gets one number, so that equal ids have equal numbers and joins work on 32-bit integers.
"""

import uuid
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis.record.tables import UUID

Codes = NDArray[np.int32]

NONE = -1  # the code of an absent id


class Identifiers:
    """One kind of ids: UUID → code while a record is read, code → UUID text ever after."""

    def __init__(self) -> None:
        self._ids = pa.array([], UUID)

    def __len__(self) -> int:
        return len(self._ids)

    def encode(self, ids: pa.Array | pa.ChunkedArray) -> Codes:
        """The codes of a column; ids that are new get the next ones, null is `NONE`."""
        if not len(ids):
            return np.empty(0, np.int32)
        encoded = ids.dictionary_encode()
        chunks = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
        distinct = chunks[-1].dictionary  # the chunks of a column share one
        known = pc.index_in(distinct, value_set=self._ids)
        unknown = known.is_null()
        first_new = len(self._ids)
        self._ids = pa.concat_arrays([self._ids, distinct.filter(unknown)])
        code = known.fill_null(NONE).to_numpy().copy()
        code[unknown.to_numpy(zero_copy_only=False)] = np.arange(first_new, len(self._ids))
        code = np.append(code, NONE).astype(np.int32)  # the place -1, of a null, leads to the last
        return np.concatenate([code[chunk.indices.fill_null(NONE).to_numpy()] for chunk in chunks])

    def text(self, code: int) -> str | None:
        """The UUID with this code; None for `NONE`."""
        return None if code < 0 else str(uuid.UUID(bytes=self._ids[int(code)].as_py()))


def uuid_array(texts: Iterable[str]) -> pa.Array:
    """UUID texts as a column of ids."""
    return pa.array([uuid.UUID(text).bytes for text in texts], UUID)
