"""The errors that end a command, each with its exit code: what went wrong, where, and how to mend it."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command's exit code says, as docs/reference/exit-codes.md promises."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    FENCED = 3
    DEFECT = 70
    BROKER = 75
    CLUSTER = 78
    INTERRUPTED = 130
    """Ctrl-C before the work was done: the shell's own convention."""


class FenliuError(Exception):
    """The base of every error that a command reports in words instead of with a traceback.

    Args:
        what: what went wrong, without a full stop.
        where: the file, topic or variable it is about, if `what` does not say it.
        mend: what to do about it, best as a command line.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.DEFECT

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  to mend it: {self.mend}" if self.mend else text


class FoundError(FenliuError):
    """The command did its work, and what it looked at is not as it should be."""

    exit_code = ExitCode.FINDINGS


class UsageError(FenliuError):
    """An option, or a file that was given, cannot be used."""

    exit_code = ExitCode.USAGE


class SettingsError(UsageError):
    """A FENLIU_* variable cannot be used."""


class FencedError(FenliuError):
    """A successor took the partition over; whatever this worker still held was not committed."""

    exit_code = ExitCode.FENCED


class DefectError(FenliuError):
    """Something happened that fenliu does not expect."""


class BrokerUnreachableError(FenliuError):
    """No broker answered, after retries, or those that did cannot do it just now: it may go another time."""

    exit_code = ExitCode.BROKER


class ClusterError(FenliuError):
    """Topics are missing, or are not what fenliu declares."""

    exit_code = ExitCode.CLUSTER
