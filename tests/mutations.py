"""Small mistakes that somebody could make in the checkers, one line each. See tests/mutate.py."""

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


MUTATIONS = [
    *of(
        "messages",
        ('absent = ok & (operations["rows"].to_numpy() == 0)', 'absent = ok & (operations["rows"].to_numpy() < 0)'),
        ("gone = ok & (answered_row >= 0)", "gone = ok & (answered_row > 1 << 40)"),
        ("faults = np.flatnonzero((absent & ~too_late) | gone)", "faults = np.flatnonzero(absent & ~too_late)"),
        ("faults = np.flatnonzero((absent & ~too_late) | gone)", "faults = np.flatnonzero(gone)"),
        ("== Outcome.FAIL\n", "== Outcome.INFO\n"),
        ("faults = np.flatnonzero(copies > 1)", "faults = np.flatnonzero(copies > 2)"),
        ('differs("text_hash", "text_hash")', 'differs("text_hash", "text_hash") & False'),
        ('differs("sender_id", "user_id")', 'differs("sender_id", "user_id") & False'),
        ("& told_seq & single", "& ~told_seq & single"),
        ("& told_id & single", "& told_id"),
    ),
    *of(
        "idempotency",
        ("np.flatnonzero(unlike_ids | unlike_seqs | several)", "np.flatnonzero(unlike_ids | unlike_seqs)"),
        ("np.flatnonzero(unlike_ids | unlike_seqs | several)", "np.flatnonzero(unlike_seqs | several)"),
        ('operations["attempts"].to_numpy() > 1', 'operations["attempts"].to_numpy() > 2'),
        ('repeated & (operations["rows"].to_numpy() > 1)', '(operations["rows"].to_numpy() > 1)'),
    ),
    *of(
        "sequence",
        ('account.rows["seq"].to_numpy() == NULL', 'account.rows["seq"].to_numpy() == 0'),
        ('twice = seen[seen.duplicated(["chat_id", "seq"], keep=False)]', 'twice = seen[seen.duplicated(["chat_id", "seq"])]'),
        ('.filter(lambda group: group["mine"].any())', '.filter(lambda group: group["mine"].all() and len(group) > 2)'),
        ("if len(holes) <= may_come or", "if len(holes) <= may_come + 1 or"),
        ("np.arange(first[chat], newest[chat].highest + 1)", "np.arange(first[chat] + 1, newest[chat].highest + 1)"),
        ("np.arange(first[chat], newest[chat].highest + 1)", "np.arange(first[chat] - 1, newest[chat].highest + 1)"),
        ('faults = met[met["highest"] > met["seq"]]', 'faults = met[met["highest"] > met["seq"] + 1]'),
        ('faults = met[met["highest"] > met["seq"]]', 'faults = met[met["highest"] >= met["seq"] - 1]'),
        ('by=group,', 'by=["clock"],'),
    ),
    *of(
        "realtime",
        ("faults = np.flatnonzero(deliveries.owed & ~deliveries.arrived)", "faults = np.flatnonzero(deliveries.owed & ~deliveries.arrived & ~deliveries.read)"),
        ("faults = np.flatnonzero(deliveries.owed & ~deliveries.arrived)", "faults = np.flatnonzero(deliveries.expected & ~deliveries.arrived)"),
        ("faults = position[within]", "faults = position[within & ~again]"),
        ("faults = position[within]", "faults = position[again]"),
        ("back = before > seq[order]", "back = before > seq[order] + 1"),
        ("found[mine & (checksum != NULL) & unlike] = _Wrong.TEXT", "found[mine & (checksum == NULL) & unlike] = _Wrong.TEXT"),
        ("(seq != stored_seq)] = _Wrong.SEQ", "(seq > stored_seq + 1)] = _Wrong.SEQ"),
        ("found[of_run & outsider] = _Wrong.OUTSIDER", "found[~of_run & outsider] = _Wrong.OUTSIDER"),
        ("& ~self._acknowledged[message] & ~old] = _Wrong.UNKNOWN", "& self._acknowledged[message] & ~old] = _Wrong.UNKNOWN"),
    ),
    *of(
        "deliveries",
        ("return self.arrived | (self.read & self.expected)", "return self.arrived"),
        ("& ~read[pairs]", ""),
        ("owed |= in_time & (later_came | awaited | long_ago)", "owed |= in_time & later_came"),
        ("owed |= in_time & (later_came | awaited | long_ago)", "owed |= in_time"),
        ('side="right") - 1\n        # One', 'side="right")\n        # One'),
        ("to_catch_up = evidence.pages", "to_catch_up = evidence.pages.iloc[:0].reindex(evidence.pages.index)"),
    ),
    *of(
        "status",
        ("np.isin(entries.status, [Status.NULL, Status.OTHER])", "np.isin(entries.status, [Status.NULL])"),
        ('("was set back", told, committed.backwards()),', '("was set back", told, seen.backwards()),'),
        ('("was seen to go back", observed, seen.backwards()),', '("was seen to go back", observed, committed.backwards()),'),
    ),
    *of(
        "witnesses",
        ("self.first[high] < self.last[low]", "self.first[high] <= self.last[low]"),
        ("(Status.READ, Status.SENT), ", ""),
        (", (Status.DELIVERED, Status.SENT))", ",)"),
    ),
    *of(
        "receipts",
        ("late = account.looks_whole & (last_sent_look >= deadline)", "late = account.looks_whole & (last_sent_look >= 2 * deadline)"),
        ("shown_in_time = _shown_delivered_ns(account)[row] <= deadline", "shown_in_time = _shown_delivered_ns(account)[row] < 0"),
        ('rows["sender_id"].to_numpy()[of_chat] != user', 'rows["sender_id"].to_numpy()[of_chat] == user'),
    ),
    *of(
        "history",
        ("return np.delete(known, first)", "return np.delete(known, first)[:0]"),
        ("np.diff(-self.seq if downwards else self.seq) < 0", "np.diff(self.seq) < 0"),
        ("early = expected.acknowledged_ns[begin:end] < left_ns", "early = expected.acknowledged_ns[begin:end] < 0"),
        ("early = expected.acknowledged_ns[begin:end] < left_ns", "early = expected.acknowledged_ns[begin:end] > 0"),
    ),
    *of(
        "access",
        ("heard.any()", "heard.all()"),
        ("(stored >= 0) | accepted", "accepted"),
        ("(stored >= 0) | accepted", "(stored >= 0)"),
        ("another = (stored >= 0) & (sender !=", "another = (stored >= 0) & (sender =="),
        ("got = attempts[\"got\"].to_numpy(np.int64) > 0", "got = attempts[\"got\"].to_numpy(np.int64) > 3"),
    ),
    *of(
        "completeness",
        ("longest_s > (bound_s := _longest_blind_s(evidence))", "longest_s < (bound_s := _longest_blind_s(evidence))"),
        ("failed.mean() > MOST_FAILED", "failed.mean() > 1"),
        ("if evidence.run.ended_at is None:", "if evidence.run.ended_at is not None:"),
        ("if rows != (counted := ", "if rows > (counted := "),
        ("if account.last_look_ns is None:", "if account.last_look_ns is not None:"),
    ),
    *of(
        "account",
        ("matched[take] = by_id[client_id[take]]", "matched[take] = NONE"),
        ("meant = only | (told ==", "meant = only & (told =="),
        ("taken = np.isin(alike, matched)", "taken = ~np.isin(alike, matched)"),
    ),
]  # fmt: skip
