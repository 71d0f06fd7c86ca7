"""Locust patches the whole process as it is imported; these tests share theirs with asyncio, so it must not."""

import pytest

with pytest.MonkeyPatch.context() as environment:
    environment.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
    import locust  # noqa: F401 - whoever imports it later gets this one
