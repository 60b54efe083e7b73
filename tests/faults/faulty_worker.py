"""`fenliu worker` in a process that does something to itself: at a point of the lane, to its clock or to its patience.

The variable FAULTS_OF_WORKER says what, as JSON of a `Misfortune`.
"""

import functools
import os
import signal
import time
from typing import Any, Literal

import msgspec

from streams.lane import faults

VARIABLE = "FAULTS_OF_WORKER"


class Mishap(msgspec.Struct, frozen=True, kw_only=True):
    """What happens when the lane has come to a point for the n-th time."""

    point: faults.Point
    nth: int = 1
    do: Literal["kill", "stop", "terminate", "wait"] = "kill"
    """kill: SIGKILL; stop: SIGSTOP, until somebody sends SIGCONT; terminate: SIGTERM; wait: each time from now on."""
    wait_s: float = 0.0


class Misfortune(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is different about one process."""

    mishaps: tuple[Mishap, ...] = ()
    clock_ahead_s: float = 0.0
    """How far `time.time()` is wrong."""
    clock_jump_after_s: float = 0.0
    """How long after the start of the process it becomes so."""
    transaction_timeout_s: float | None = None
    max_poll_interval_ms: int | None = None
    state_format: Literal["ours", "next", "with older"] = "ours"
    """next: it is the version of fenliu after this one, whose state has another format; with older: it reads the
    invented format 0 (`tests.faults.other_formats`) too."""

    def encode(self) -> str:
        """For the environment."""
        return msgspec.json.encode(self).decode()


def main() -> None:
    """Prepare what is to go wrong, then be a worker."""
    misfortune = msgspec.json.decode(os.environ.get(VARIABLE, "{}"), type=Misfortune)
    if misfortune.mishaps:
        _set_mishaps(misfortune.mishaps)
    if misfortune.clock_ahead_s:
        _set_clock(misfortune)
    from streams.cli import main as fenliu  # noqa: PLC0415  after the clock is set

    if misfortune.transaction_timeout_s is not None:
        from streams.lane import transaction  # noqa: PLC0415

        transaction.TRANSACTION_TIMEOUT_S = misfortune.transaction_timeout_s
    if misfortune.max_poll_interval_ms is not None:
        from streams.lane import consumer_thread  # noqa: PLC0415

        patient: Any = vars(consumer_thread)["AIOKafkaConsumer"]
        impatient = functools.partial(patient, max_poll_interval_ms=misfortune.max_poll_interval_ms)
        vars(consumer_thread)["AIOKafkaConsumer"] = impatient
    if misfortune.state_format != "ours":
        from tests.faults import other_formats  # noqa: PLC0415

        other_formats.install(misfortune.state_format)
    fenliu(["worker"])


def _set_mishaps(mishaps: tuple[Mishap, ...]) -> None:
    counts: dict[str, int] = {}

    def reached(point: faults.Point) -> None:
        counts[point] = counts.get(point, 0) + 1
        for mishap in mishaps:
            if mishap.point != point:
                continue
            if mishap.do == "wait" and counts[point] >= mishap.nth:
                time.sleep(mishap.wait_s)
            elif counts[point] == mishap.nth:
                os.kill(os.getpid(), _SIGNALS[mishap.do])

    faults.reached = reached


_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "terminate": signal.SIGTERM}


def _set_clock(misfortune: Misfortune) -> None:
    right = time.time
    jump_at = time.monotonic() + misfortune.clock_jump_after_s

    def wrong() -> float:
        return right() + (misfortune.clock_ahead_s if time.monotonic() >= jump_at else 0.0)

    time.time = wrong


if __name__ == "__main__":
    main()
