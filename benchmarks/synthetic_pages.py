"""Pages of history that people read all through a synthetic run, each without a bound, as most walks begin."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analysis.record.codes import Outcome, PagePurpose, Status

PAGE = 50


def browsed(
    every: int,
    chats: int,
    ids: dict[str, pa.Array],
    shown: dict[str, pa.Array],
    seq: NDArray[np.int64],
    at: NDArray[np.int64],
) -> dict[str, Any]:
    """The newest page of a chat, at `at` after each so manieth message.

    Args:
        every: 0: after none.
        chats: they take turns, message by message.
        ids: of each message chat and id, and ``user_id``: who reads it there.
        shown: of each message what its page tells besides.
        at: on the record's clock, in ns.
    """
    newest = np.arange(0, len(seq), every) if every else np.empty(0, np.int64)
    sizes = np.minimum(seq[newest], PAGE)
    offsets = np.append(0, np.cumsum(sizes))
    below = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
    on_page = np.repeat(newest, sizes) - below * chats

    def lists(values: pa.Array) -> pa.Array:
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)

    return {
        "user_id": ids["user_id"].take(pa.array(newest)),
        "chat_id": ids["chat_id"].take(pa.array(newest)),
        "walk": -1 - np.arange(len(newest)),
        "purpose": PagePurpose.BROWSE,
        "before_seq": None,
        "page_limit": PAGE,
        "left_ns": at[newest],
        "answered_ns": at[newest] + 20_000_000,
        "outcome": Outcome.OK,
        "status_code": 200,
        "seqs": lists(pa.array(seq[on_page])),
        "message_ids": lists(ids["message_id"].take(pa.array(on_page))),
        "sender_ids": lists(shown["sender_id"].take(pa.array(on_page))),
        "text_crc32s": lists(shown["text_crc32"].take(pa.array(on_page))),
        "statuses": lists(pa.array(np.full(len(on_page), Status.READ))),
    }
