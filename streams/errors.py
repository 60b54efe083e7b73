"""The errors that end a command, each with its exit code: what went wrong, where, and how to mend it."""

from typing import ClassVar


class FenliuError(Exception):
    """The base of every error that a command reports in words instead of with a traceback."""

    exit_code: ClassVar[int] = 70


class SettingsError(FenliuError):
    """A FENLIU_* variable cannot be used."""

    exit_code: ClassVar[int] = 2


class BrokerUnreachableError(FenliuError):
    """No broker answered, after retries."""

    exit_code: ClassVar[int] = 75


class ClusterError(FenliuError):
    """Topics are missing, or are not what fenliu declares."""

    exit_code: ClassVar[int] = 78
