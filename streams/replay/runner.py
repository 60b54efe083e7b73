"""`fenliu replay`: the router over files (section 10). The same router, the same merge, no Kafka."""

import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from schemas.codec import InvalidEvent, decode_line
from schemas.decisions import AgentPresence
from schemas.shop import ShopConfigChange
from streams.replay.lines import Line, read_lines
from streams.replay.order import EventOrder
from streams.routing import Decision, Router


@dataclass(frozen=True)
class BadLine:
    """A line that cannot be used, and why."""

    line: Line
    error: str
    detail: str

    def __str__(self) -> str:
        return f"{self._file}:{self.line.number}: {self.error}: {self.detail}"

    @property
    def _file(self) -> str:
        return os.fsencode(self.line.file).decode(errors="replace")

    def to_json(self) -> bytes:
        """The line as `--dead-letters` writes it; bytes that are not UTF-8 are shown as U+FFFD."""
        return orjson.dumps(
            {
                "file": self._file,
                "line": self.line.number,
                "error": self.error,
                "detail": self.detail,
                "value": self.line.text.decode(errors="replace"),
            }
        )


@dataclass
class Replay:
    """One run over some files.

    Args:
        shops: settings that are in force from the start.
        until_ms: events after it are left out, and timers up to it fire; None fires them up to the last event's time.
        partitions: merge as a cluster with so many partitions does; None merges each shop for itself.
        report: called with each line that cannot be used.
        advance: called with how many bytes of the files were read, and then events decided, since the last call.
    """

    shops: list[ShopConfigChange]
    until_ms: int | None = None
    partitions: int | None = None
    report: Callable[[BadLine], None] = print
    advance: Callable[[int], None] = field(default=lambda _: None)
    bad_lines: int = 0
    events: int = 0

    def read(self, names: tuple[str, ...]) -> EventOrder:
        """Read and decode the files.

        Raises:
            UsageError: a file cannot be read.
        """
        order = EventOrder(self.partitions)
        gc.disable()  # a million events are many objects and no garbage
        try:
            for line in read_lines(names, self.advance):
                try:
                    topic, event = decode_line(line.text)
                except InvalidEvent as invalid:
                    self.bad_lines += 1
                    self.report(BadLine(line, invalid.code, invalid.detail))
                    continue
                if self.until_ms is None or event.occurred_at_ms <= self.until_ms:
                    order.add(topic, event)
        finally:
            gc.enable()
        return order

    def decide(self, order: EventOrder) -> Iterator[Decision]:
        """Apply the events in order, then fire the timers that are left: the decisions."""
        router = Router()
        for change in self.shops:
            router.configure(change)
        gc.freeze()
        last_ms = 0
        for event in order:
            last_ms = max(last_ms, event.occurred_at_ms)
            yield from router.apply(event)
            self.events += 1
            self.advance(1)
        gc.unfreeze()
        yield from router.fire_timers(last_ms if self.until_ms is None else self.until_ms)


def assignments_only(decisions: Iterator[Decision]) -> Iterator[Decision]:
    """Leave presence events out."""
    return (decision for decision in decisions if not isinstance(decision, AgentPresence))
