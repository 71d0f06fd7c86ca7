"""Locust patches the whole process as it is imported; these tests share theirs with asyncio, so it must not."""

import gevent
import pytest

with pytest.MonkeyPatch.context() as environment:
    environment.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
    import locust  # noqa: F401 - whoever imports it later gets this one


@pytest.fixture(autouse=True)
def current_time() -> None:
    """gevent's timers count from when its loop last ran, which here may be many other tests ago: too early."""
    gevent.get_hub().loop.update_now()
