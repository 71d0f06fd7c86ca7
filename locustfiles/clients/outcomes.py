"""What an HTTP status says about whether the request was carried out. Pure."""

from typing import Final

from analysis.record.codes import Outcome

REQUEST_TIMEOUT: Final = 408
CLIENT_CLOSED_REQUEST: Final = 499  # a proxy gave up on us; what lies behind it may not have


def outcome_of(status: int) -> Outcome:
    """OK for 2xx, FAIL for a refusal (4xx), INFO for all that leaves it open (5xx, redirections, time-outs)."""
    if 200 <= status < 300:
        return Outcome.OK
    if 400 <= status < 500 and status not in {REQUEST_TIMEOUT, CLIENT_CLOSED_REQUEST}:
        return Outcome.FAIL
    return Outcome.INFO
