"""`fenliu replay`: the router over files (section 10). The same router, the same merge, no Kafka."""

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from schemas.codec import Event, InvalidEvent, Topic, decode_line
from schemas.shop import ShopConfigChange
from streams.replay.lines import Line, read_lines, shown
from streams.replay.order import EventOrder
from streams.replay.summary import Override, Summary
from streams.routing import Decision, Router


@dataclass(frozen=True)
class BadLine:
    """A line that cannot be used, and why."""

    line: Line
    error: str
    detail: str

    def __str__(self) -> str:
        return f"{self.line.place}: {self.error}: {self.detail}"

    def to_json(self) -> bytes:
        """The line as `--dead-letters` writes it; bytes that are not UTF-8 are shown as U+FFFD."""
        return orjson.dumps(
            {
                "file": shown(self.line.file),
                "line": self.line.number,
                "error": self.error,
                "detail": self.detail,
                "value": self.line.text.decode(errors="replace"),
            }
        )


_TAKE_AFTER_EVENTS = 10_000
"""What changed and what was counted is taken from the router so often, or both would grow with the file."""


@dataclass
class Replay:
    """One run over some files.

    Args:
        shops: settings that are in force from the start.
        until_ms: events after it are left out, and timers up to it fire; None fires them up to the last event's time.
        partitions: merge as a cluster with so many partitions does; None merges each shop for itself.
        shops_hold: the settings of `shops` hold to the end: those that the events have of the same shops are left out.
        report: called with each line that cannot be used.
        look: called with each line that can.
        advance: called with how many bytes of the files were read, and then events decided, since the last call.

    Attributes:
        summary: complete once all is decided, but for the assignments: who takes the decisions counts them.
        events: how many were decided so far.
    """

    shops: list[ShopConfigChange]
    until_ms: int | None = None
    partitions: int | None = None
    shops_hold: bool = False
    report: Callable[[BadLine], None] = print
    look: Callable[[Line, Topic, Event], None] | None = None
    advance: Callable[[int], None] = field(default=lambda _: None)
    summary: Summary = field(default_factory=Summary)
    events: int = 0

    def __post_init__(self) -> None:
        self._versions = {change.shop_id: change.version for change in self.shops}
        self.summary.given.update(self._versions)
        self.summary.configured.update(change.shop_id for change in self.shops if change.given is not None)

    @property
    def bad_lines(self) -> int:
        """How many lines could not be used."""
        return self.summary.bad_lines.total()

    def read(self, names: tuple[str, ...]) -> EventOrder:
        """Read and decode the files.

        Raises:
            UsageError: a file cannot be read.
        """
        order, summary, look = EventOrder(self.partitions), self.summary, self.look
        gc.disable()  # a million events are many objects and no garbage
        try:
            for line in read_lines(names, self.advance):
                try:
                    topic, event = decode_line(line.text)
                except InvalidEvent as invalid:
                    summary.bad_lines[invalid.code] += 1
                    self.report(BadLine(line, invalid.code, invalid.detail))
                    continue
                if look is not None:
                    look(line, topic, event)
                if self.until_ms is not None and event.occurred_at_ms > self.until_ms:
                    summary.after_until += 1
                elif topic != "shop-configs" or self._counts(line, event):
                    order.add(topic, event)
        finally:
            gc.enable()
        summary.events = order.by_type()
        summary.shops.update(order.shops)
        if order:
            summary.first_ms, summary.last_ms = order.first_ms, order.last_ms
        return order

    def decide(self, order: Iterable[Event]) -> Iterator[Decision]:
        """Apply the events in order, then fire the timers that are left: the decisions."""
        router = Router()
        for change in self.shops:
            router.configure(change)
        gc.freeze()
        for event in order:
            yield from router.apply(event)
            self.events += 1
            self.advance(1)
            if self.events % _TAKE_AFTER_EVENTS == 0:
                router.drop_changes()
                self.summary.add(router.take_stats())
        gc.unfreeze()
        yield from router.fire_timers((self.summary.last_ms or 0) if self.until_ms is None else self.until_ms)
        self.summary.add(router.take_stats())

    def _counts(self, line: Line, event: Event) -> bool:
        """Whether settings that the events have count, beside those of `shops`."""
        assert isinstance(event, ShopConfigChange)  # noqa: S101  it was on their topic
        given = self._versions.get(event.shop_id)
        if given is not None:
            if given != event.version:
                self.summary.overrides.setdefault(event.shop_id, Override(line, event.occurred_at_ms))
            if self.shops_hold:
                self.summary.settings_left_out += 1
                return False
        if event.given is not None:
            self.summary.configured.add(event.shop_id)
        return True
