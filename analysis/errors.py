"""Every error that a person who runs chatsoak can meet.

ChatsoakError
├── ConfigurationError   a setting or the command line is wrong              → exit code 2
├── TargetError          the target is not as it must be before any load     → exit code 2
├── RecordError          a run's folder cannot be read or written            → exit code 2
└── OutputError          what is printed cannot be written                   → exit code 2

Each message is one sentence that says what was wrong, where, what is expected and what to do.
Errors of libraries are turned into one of these at the boundary that meets them, the cause kept.
"""


class ChatsoakError(Exception):
    """Root of the tool's own errors. ``str()`` of it is what a person reads."""

    exit_code: int = 2


class ConfigurationError(ChatsoakError):
    """A setting, an option or an environment file is missing or wrong."""


class TargetError(ChatsoakError):
    """The target cannot be reached, refuses the keys, or lacks a migration."""


class RecordError(ChatsoakError):
    """A run's folder cannot be written, or what lies there is no record."""


class OutputError(ChatsoakError):
    """Standard output or standard error is a file that cannot be written, on a full disk for one."""
