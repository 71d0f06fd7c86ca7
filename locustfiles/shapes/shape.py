"""The curves as one of Locust's load shapes. Only made when ``--shape`` asks for something else than a soak:
without a shape Locust's own ``-u -r -t`` already is one."""

from typing import ClassVar

from locust import LoadTestShape

from analysis.settings import ShapeName
from locustfiles.shapes.curves import users_at

DEFAULT_RUN_TIME_S = (
    600.0  # length of the curve when no run time is given; its end is then held until stopped
)


class ChosenShape(LoadTestShape):
    """Follows the chosen curve up to Locust's ``--users``, at its ``--spawn-rate``, over its ``--run-time``."""

    abstract: ClassVar[bool] = True  # made by the run's hooks, not found in the locustfile
    use_common_options: ClassVar[bool] = True

    def __init__(self, shape: ShapeName) -> None:
        super().__init__()
        self._shape = shape

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate for now; None when the run time is over."""
        if self.runner is None or self.runner.environment.parsed_options is None:
            return None
        options = self.runner.environment.parsed_options
        run_time_s = float(options.run_time) if options.run_time else None
        passed_s = self.get_run_time()
        if run_time_s is not None and passed_s >= run_time_s:
            return None
        peak = int(options.num_users or 1)
        users = users_at(self._shape, passed_s / (run_time_s or DEFAULT_RUN_TIME_S), peak)
        return users, float(options.spawn_rate or 1)
