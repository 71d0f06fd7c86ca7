"""The server's side on the page: the statements, and who waited for whom."""

from analysis.report import numbers
from analysis.report.drawing import elapsed
from analysis.report.figures import Table, Titled
from analysis.server import Server


def tables(server: Server) -> list[Titled]:
    """The tables that have rows."""
    found = []
    if server.statements:
        reset = (
            "Their counters were reset meanwhile, so that the figures are too low. "
            if server.statements_reset
            else ""
        )
        found.append(
            Titled(
                "Statements that took the most time",
                f"{reset}Between the monitor's first look and its last, all users of the database together, the monitor too. "
                "The server has put parameters in place of the values. Share of time: of all statements together. Rows: that "
                "they gave or changed. Blocks read: pieces of 8 KiB that were not in the server's cache. From pg_stat_statements.",
                Table(
                    ("Statement", "Calls", "Total ms", "Mean ms", "Share of time", "Rows", "Blocks read"),
                    [
                        (
                            " ".join(one.query.split())[:500],
                            numbers.number(one.calls),
                            numbers.number(one.total_ms),
                            numbers.number(one.mean_ms),
                            f"{one.share:.1%}",
                            numbers.number(one.rows),
                            numbers.number(one.blocks_read),
                        )
                        for one in server.statements
                    ],
                    words=("Statement",),
                ),
            )
        )
    if server.waits:
        found.append(
            Titled(
                "Who waited for whom",
                "Sessions, which are connections to the database, that the monitor saw waiting for a lock: what begins and ends "
                "between two of its looks goes unseen. Looks: at how many somebody waited so. Longest: that was seen. "
                "First seen: since the first send. Literals, which are the values in a statement, are left out.",
                Table(
                    ("Waiting", "For", "Lock", "Looks", "Sessions", "Longest ms", "First seen"),
                    [
                        (
                            one.waiting,
                            one.blocking,
                            one.lock,
                            numbers.number(one.looks),
                            numbers.number(one.sessions),
                            numbers.number(one.longest_ms),
                            elapsed(one.first_s),
                        )
                        for one in server.waits
                    ],
                    words=("Waiting", "For", "Lock"),
                ),
            )
        )
    return found
