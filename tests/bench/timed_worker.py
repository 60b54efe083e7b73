"""`fenliu worker` with a clock at its seams: where the CPU time of a backlog goes. Production code knows nothing of it.

Times are of the CPU of the thread, taken once a batch or at each step of a coroutine, so that waiting costs nothing and
neither does the measurement. What no seam covers is the rest of its thread: aiokafka's protocol, the event loop,
Faust. They are written as JSON to the file that TIMED_WORKER_FILE names, at the end of the process; the
clock starts with the first records and stops with the last commit.
"""

import atexit
import functools
import json
import os
import time
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

VARIABLE = "TIMED_WORKER_FILE"
STAGES = ("decode", "order", "decide", "encode", "transaction", "report")


class Clock:
    """CPU time by stage; the stages of the event loop's thread contain no other but as `nested` says."""

    def __init__(self) -> None:
        self.stages = dict.fromkeys(STAGES, 0.0)
        self._stack: list[str] = []
        self._since = 0.0
        self.begin: float | None = None
        self.end = 0.0
        self.fetch_begin: float | None = None
        self.fetch_end = 0.0

    def enter(self, stage: str) -> None:
        """Time goes to this stage until `leave`; the one around it is interrupted."""
        now = time.thread_time()
        if self._stack:
            self.stages[self._stack[-1]] += now - self._since
        self._stack.append(stage)
        self._since = now

    def leave(self) -> None:
        """Back to the stage around."""
        now = time.thread_time()
        self.stages[self._stack.pop()] += now - self._since
        self._since = now

    def figures(self) -> dict[str, float]:
        """CPU seconds by stage."""
        named = sum(self.stages.values())
        return {
            "fetch": self.fetch_end - (self.fetch_begin or 0.0),
            **self.stages,
            "rest": max(0.0, self.end - (self.begin or 0.0) - named),
        }


class _Stepwise:
    """A coroutine, each step of which is timed."""

    def __init__(self, clock: Clock, stage: str, inner: Coroutine[Any, Any, Any]) -> None:
        self._clock, self._stage, self._inner = clock, stage, inner

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[Any], Any] = self._inner.send
        argument: Any = None
        while True:
            self._clock.enter(self._stage)
            try:
                yielded = step(argument)
            except StopIteration as done:
                return done.value
            finally:
                self._clock.leave()
            try:
                argument = yield yielded
                step = self._inner.send
            except BaseException as exc:  # noqa: BLE001  a cancellation goes on into the coroutine
                argument = exc
                step = self._inner.throw


def timed(clock: Clock, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, on the clock."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        clock.enter(stage)
        try:
            return function(*args, **kwargs)
        finally:
            clock.leave()

    return run


def timed_steps(clock: Clock, stage: str, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """The coroutine function, each step of it on the clock."""

    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        return await _Stepwise(clock, stage, function(*args, **kwargs))

    return run


class _Reads:
    """A context for the consumer's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __enter__(self) -> Self:
        if self._clock.fetch_begin is None:
            self._clock.fetch_begin = time.thread_time()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._clock.fetch_end = time.thread_time()


def main() -> None:
    """Put the clock at the seams, then be a worker."""
    clock = Clock()
    _set_clock(clock)
    atexit.register(lambda: Path(os.environ[VARIABLE]).write_text(json.dumps(clock.figures()), encoding="utf-8"))
    from streams.cli import main as fenliu  # noqa: PLC0415

    fenliu(["worker"])


def _set_clock(clock: Clock) -> None:
    from streams.lane import consumer_thread, inputs, partition, transaction  # noqa: PLC0415
    from streams.metrics import Metrics  # noqa: PLC0415

    fetch = consumer_thread.LaneThread._fetch

    async def read(self: Any, *args: Any) -> Any:
        with _Reads(clock):
            return await fetch(self, *args)

    feed = timed(clock, "decode", inputs.Inputs.feed)

    def first_feed(self: Any, topic: Any, fetched: Any) -> Any:
        if clock.begin is None and fetched.records:
            clock.begin = time.thread_time()
        return feed(self, topic, fetched)

    commit = timed_steps(clock, "transaction", transaction.Writer.commit)

    async def last_commit(self: Any, outcome: Any) -> Any:
        try:
            return await commit(self, outcome)
        finally:
            clock.end = time.thread_time()

    seams: list[tuple[Any, str, Any]] = [
        (consumer_thread.LaneThread, "_fetch", read),
        (inputs.Inputs, "feed", first_feed),
        (inputs.Inputs, "take", timed(clock, "order", inputs.Inputs.take)),
        (partition.Partition, "_route", timed(clock, "decide", partition.Partition._route)),
        (partition.Partition, "_commit", timed_steps(clock, "encode", partition.Partition._commit)),
        (transaction.Writer, "commit", last_commit),
        (transaction.Writer, "_send", timed_steps(clock, "transaction", transaction.Writer._send)),
        (transaction.Writer, "_send_offsets", timed_steps(clock, "transaction", transaction.Writer._send_offsets)),
        (Metrics, "batch_committed", timed(clock, "report", Metrics.batch_committed)),
    ]
    for owner, name, seam in seams:
        setattr(owner, name, seam)


if __name__ == "__main__":
    main()
