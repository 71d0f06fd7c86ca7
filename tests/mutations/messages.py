"""Mutations of the checkers of messages, repeats and their numbers."""

from tests.mutations.mutation import of

MESSAGES = [
    *of(
        "messages",
        (
            'absent = ok & (operations["rows"].to_numpy() == 0)',
            'absent = ok & (operations["rows"].to_numpy() < 0)',
        ),
        ("gone = ok & (answered_row >= 0)", "gone = ok & (answered_row > 1 << 40)"),
        (
            "faults = np.flatnonzero((absent & ~too_late) | gone)",
            "faults = np.flatnonzero(absent & ~too_late)",
        ),
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
        (
            'twice = seen[seen.duplicated(["chat_id", "seq"], keep=False)]',
            'twice = seen[seen.duplicated(["chat_id", "seq"])]',
        ),
        (
            '.filter(lambda group: group["mine"].any())',
            '.filter(lambda group: group["mine"].all() and len(group) > 2)',
        ),
        ("account.last_look_ns is None else None", "False else None"),
        ('(seen["seq"].to_numpy() != NULL) & ~account', "~account"),
        ('& ~account.rows["before"].to_numpy()[rows]]', "]"),
        (
            '<= account.baseline[rows["chat_id"].to_numpy()])',
            '< account.baseline[rows["chat_id"].to_numpy()])',
        ),
        (
            "again = np.flatnonzero(\n        account.stored",
            "again = np.flatnonzero(\n        False & account.stored",
        ),
    ),
    *of(
        "gaps",
        (
            "self.xmin[place + 1 :].max() >= self.next_xid[place]",
            "self.xmin[place + 1 :].max() > self.next_xid[place]",
        ),
        (
            "self.xmin[place + 1 :].max() >= self.next_xid[place]",
            "self.xmin[place + 1 :].max() >= self.xmin[place]",
        ),
        ("self.xmin[place + 1 :].max() >= self.next_xid[place]", "self.xmin[-1] >= 0"),
        ("groupby(chat[::-1]).cummin()", "groupby(chat[::-1]).cummax()"),
        ("missing[hole.chat] > int(open_sends", "missing[hole.chat] > 1 + int(open_sends"),
        ('& (account.operations["rows"] == 0)', ""),
        ("first[one] - 1 for one", "first[one] for one"),
        ("first[hole.chat] <= hole.low and", ""),
        ("return self.high - self.low + 1", "return 1"),
        ("evidence.pages, evidence.page_rows\n", "evidence.pages, evidence.page_rows.iloc[:0]\n"),
        ("(self.next_xid != NULL).all()", "(self.next_xid == NULL).all()"),
        ('> account.baseline[rows["chat_id"].to_numpy()]', '>= account.baseline[rows["chat_id"].to_numpy()]'),
        ("if account.last_look_ns is None:\n        faults = []", "if False:\n        faults = []"),
        ("if not reason and set(newest) - set(baseline):", "if False:"),
    ),
    *of(
        "order",
        ("faults = timed[highest.max(axis=0)[timed", "faults = timed[-1 + highest.max(axis=0)[timed"),
        ("faults = timed[highest.max(axis=0)[timed", "faults = timed[2 + highest.max(axis=0)[timed"),
        ('["chat_id", "clock"])]', '["clock"])]'),
        ('"latest_acknowledged_ns", ["chat_id"])', '"latest_acknowledged_ns", ["clock"])'),
        ("timed[known]", "timed"),
        (".cummax()", ".cummin()"),
        ("allow_exact_matches=False", "allow_exact_matches=True"),
        ('told = timed.loc[timed["acknowledged_ns"] != NEVER, ', "told = timed.loc[:, "),
        (
            "mine = np.concatenate([mine[~told], mine[told]])",
            "mine = np.concatenate([mine[told], mine[~told]])",
        ),
        ("earliest_left, _ =", "_, earliest_left ="),
        ("_, latest_acknowledged =", "latest_acknowledged, _ ="),
        ("np.where(stored_seq != NULL, stored_seq, np", "np.where(stored_seq == NULL, stored_seq, np"),
    ),
    *of(
        "../clocks",
        ("(offset_ns - error_ns)[order], (offset_ns + error_ns)", "(offset_ns)[order], (offset_ns)"),
        ("np.minimum.accumulate(most[forwards] - way) + way", "most[forwards]"),
        ("np.maximum.accumulate(least[forwards] + way) - way", "least[forwards]"),
        ("and bool((least <= most).all()) ", ""),
        ("values[place] + sign * _drift(np.abs(at_ns - self.at_ns[place]))", "values[place]"),
        ("return np.maximum(*least), np.minimum(*most)", "return np.minimum(*least), np.maximum(*most)"),
        ('measured["leader"] == domain', 'measured["leader"] != domain'),
    ),
    *of(
        "account",
        ("matched[take] = by_id[client_id[take]]", "matched[take] = NONE"),
        ("meant = only | (told ==", "meant = only & (told =="),
        ("taken = np.isin(alike, matched)", "taken = ~np.isin(alike, matched)"),
    ),
]
