"""A tab of chatsoak's own on Locust's web page: counts, criteria and the newest findings, while the run goes on.

Locust's page shows what ``/stats/requests`` answers under ``extended_stats``; see its example of an extended web UI,
https://docs.locust.io/en/stable/extending-locust.html#extending-web-ui.
"""

from collections.abc import Callable

import orjson
from flask import Response, request
from locust.web import WebUI

KEY = "chatsoak"
COLUMNS = (("what", "Criterion or count"), ("count", "Found"), ("newest", "Newest"))


def add_tab(page: WebUI, rows: Callable[[], list[dict[str, str]]]) -> None:
    """Add the tab; `rows` is asked whenever the page asks for figures."""
    page.template_args |= {
        "extended_tabs": [{"title": "chatsoak", "key": KEY}],
        "extended_tables": [
            {"key": KEY, "structure": [{"key": name, "title": title} for name, title in COLUMNS]}
        ],
    }

    def add_rows(response: Response) -> Response:
        if request.path == "/stats/requests" and response.is_json:
            figures = orjson.loads(response.get_data())
            figures["extended_stats"] = [{"key": KEY, "data": rows()}]
            response.set_data(orjson.dumps(figures))
        return response

    assert page.app is not None
    page.app.after_request(add_rows)
