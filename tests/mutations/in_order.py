"""A plugin of pytest for tests/mutate.py: runs given tests in a given order, and tells how long each took and which failed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

ORDER, TOLD = "--in-order", "--tell"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Hook of pytest."""
    parser.addoption(ORDER, type=Path, help="file of node ids, a line each: the tests that run")
    parser.addoption(TOLD, type=Path, help="file to be written: seconds by node id, and those that failed")


def pytest_configure(config: pytest.Config) -> None:
    """Hook of pytest."""
    config.pluginmanager.register(InOrder(config.getoption(ORDER), config.getoption(TOLD)))


class InOrder:
    """What this plugin does in one session."""

    def __init__(self, order: Path | None, told: Path | None) -> None:
        self._order = order.read_text("utf-8").splitlines() if order else None
        self._told = told
        self._seconds: dict[str, float] = {}
        self._failed: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The tests of the order, as they stand there; without one all, as they come."""
        if self._order is not None:
            found = {item.nodeid: item for item in items}
            items[:] = [found[node] for node in self._order if node in found]  # a file may not even import

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a test's time, set-up and teardown included."""
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self._failed.append(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Iterator[None]:
        """Write down what there was."""
        if self._told:
            self._told.write_text(json.dumps({"seconds": self._seconds, "failed": self._failed}), "utf-8")
        return (yield)
