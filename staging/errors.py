"""Errors that the person who starts the environment can meet. Each is one sentence with its remedy."""


class StageError(Exception):
    """The embedded staging environment cannot be started as asked."""
