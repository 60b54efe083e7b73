"""The four inputs of one partition: what was fetched, decoded and not yet routed, in the order of O2.

It knows positions and ends, but no broker: a fetcher feeds it, and asks it where to read on. Times are seconds of
`time.monotonic()`; instants of the watermark are wall-clock milliseconds.

The watermark (O1) is made of marks. When a fetch was sent at T and the broker answered that the topic ends at E, all
that was on the broker at T lies before E. So once everything before E was applied, the topic was at its end at T,
however much came since: traffic moves the watermark on, and a backlog holds it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.codec import RANK, Event, InvalidEvent, Topic, decode
from streams.dead_letters import Record
from streams.partitioner import partition_of
from streams.routing.merge import Merger

STALE_S = 3.0
"""How long it is believed that a topic has nothing new. The consumer hears of each topic every half second, even if
there is nothing, so after six such silences its leader is gone or this process slept, and the others wait (O2)."""

MAX_BUFFERED_BYTES = 8 << 20
"""Of one topic: then it is not fetched until some of it was routed. A fetch brings at most 1 MiB more."""


Item = tuple[Record, Event | InvalidEvent]
"""A record and what came out of decoding it."""


class Fetched(NamedTuple):
    """What one fetch brought for one topic."""

    start: int
    """The offset that was asked for."""
    position: int
    """Where to read on: past the records, and past markers and gaps that bring none."""
    end: int | None
    """The last stable offset when the broker last answered; None before its first answer."""
    high_watermark: int | None
    """Where the topic ended then, with what stands in open transactions; None before its first answer."""
    heard_at: float
    """When that answer was asked for."""
    heard_ms: int
    """The same by the wall clock, in milliseconds since 1970."""
    records: Sequence[Record]


@dataclass(slots=True)
class Batch:
    """Records of one partition in the order in which they are applied."""

    partition: int
    runs: list[tuple[Topic, list[Item]]]
    """Each of one topic."""
    offsets: dict[Topic, int]
    """Where each topic is read on after this batch: what the transaction commits."""
    last_times: dict[Topic, int]
    """Time (ms) of the newest record taken of each topic, for the checkpoint."""
    watermark_ms: int | None
    """The partition's watermark (O1) once this batch is applied; None if an input was not heard of yet."""


MAX_MARKS = 64
"""Of one topic. A long backlog makes more; then every other goes, and the watermark moves in longer steps."""


@dataclass(slots=True)
class _Feed:
    position: int
    end: int | None = None
    heard_at: float = 0.0
    buffered_bytes: int = 0
    marks: deque[tuple[int, int]] = field(default_factory=deque)
    """(Where the topic ended, when it was asked), growing: the first is the newest that was reached, if any was."""

    def mark(self, end: int, asked_ms: int) -> None:
        """The topic ended here when it was asked; after a change of leaders it may be told to end before that."""
        marks = self.marks
        if marks and marks[-1][0] >= end:
            end, _ = marks.pop()
        if len(marks) >= MAX_MARKS:
            self.marks = marks = deque(list(marks)[::2])
        marks.append((end, asked_ms))

    def watermark_ms(self, applied: int) -> int | None:
        """The newest instant at which the topic had nothing after `applied`; None if there is none."""
        marks = self.marks
        while len(marks) > 1 and marks[1][0] <= applied:
            marks.popleft()
        return marks[0][1] if marks and marks[0][0] <= applied else None


class Reader:
    """Decodes records and makes the two checks that need more than the record: partition and clock."""

    def __init__(self, *, max_clock_skew_ms: int, partition_count: int) -> None:
        self._max_clock_skew_ms = max_clock_skew_ms
        self._partition_count = partition_count

    def read_all(self, topic: Topic, records: Iterable[Record]) -> list[tuple[int | None, Item]]:
        """Decode the records of a topic: each with its time for the order, None if it cannot be used."""
        items: list[tuple[int | None, Item]] = []
        for record in records:
            event = self.read(topic, record)
            items.append((None if isinstance(event, InvalidEvent) else event.occurred_at_ms, (record, event)))
        return items

    def read(self, topic: Topic, record: Record) -> Event | InvalidEvent:
        """Decode a record, or say why it cannot be used."""
        try:
            event = decode(topic, record.value, key=record.key, timestamp_ms=max(0, record.timestamp))
            self._check(event, record)
        except InvalidEvent as exc:
            return exc
        return event

    def _check(self, event: Event, record: Record) -> None:
        key = record.key or b""
        expected = partition_of(key, self._partition_count)
        if expected != record.partition:
            raise InvalidEvent(
                "wrong_partition",
                f"the key belongs to partition {expected} of {self._partition_count}; set the producer's partitioner "
                "to Kafka's murmur2 (librdkafka: partitioner=murmur2_random)",
            )
        ahead_ms = event.occurred_at_ms - record.timestamp
        # A record without a timestamp (-1, from very old producers) cannot be compared.
        if record.timestamp >= 0 and ahead_ms > self._max_clock_skew_ms:
            raise InvalidEvent(
                "clock_skew",
                f"$.occurred_at_ms: expected at most {self._max_clock_skew_ms} ms after the record's timestamp, "
                f"not {ahead_ms} ms",
            )


class Inputs:
    """The inputs of one partition, from the fetcher to the router.

    Args:
        partition: the partition number, the same in the four topics.
        offsets: where each topic is read from.
        last_times: from the checkpoint: the time (ms) of the newest record applied of each topic.
        reader: decodes the records.
        max_events: the bound of a batch, and of what is buffered of a topic.
        now: the clock, in seconds.
    """

    def __init__(
        self,
        partition: int,
        offsets: Mapping[Topic, int],
        last_times: Mapping[Topic, int],
        *,
        reader: Reader,
        max_events: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.partition = partition
        self._reader = reader
        self._max_events = max_events
        self._now = now
        self.reset(offsets, last_times)

    def reset(self, offsets: Mapping[Topic, int], last_times: Mapping[Topic, int]) -> None:
        """Forget what is buffered and read from `offsets`: what was taken and not committed is read again."""
        self._merger: Merger[Item] = Merger(last_times)
        self._feeds = {topic: _Feed(offsets[topic]) for topic in RANK}

    def wanted(self) -> dict[Topic, int]:
        """The topics to fetch and their positions: all but those whose buffer is full."""
        return {
            topic: feed.position
            for topic, feed in self._feeds.items()
            if self._merger.buffered(topic) < self._max_events and feed.buffered_bytes < MAX_BUFFERED_BYTES
        }

    def feed(self, topic: Topic, fetched: Fetched) -> bool:
        """Take what a fetch brought; a fetch from elsewhere than our position is dropped, and nothing is lost by it.

        Returns:
            Whether anything new was learned: records, or that there are none.
        """
        feed = self._feeds[topic]
        if fetched.start != feed.position:
            return False
        if fetched.records:
            items = self._reader.read_all(topic, fetched.records)
            self._merger.extend(topic, items)
            feed.buffered_bytes += sum(_size(item) for _, item in items)
        # A topic that was silent for too long held the others up: that it has nothing new is news to them.
        heard_again = feed.heard_at < self._now() - STALE_S
        moved = fetched.position != feed.position or fetched.end != feed.end
        news = bool(fetched.records) or moved or heard_again
        feed.position, feed.end, feed.heard_at = fetched.position, fetched.end, fetched.heard_at
        if fetched.high_watermark is not None:
            feed.mark(fetched.high_watermark, fetched.heard_ms)
        return news

    def take(self) -> Batch | None:
        """The next records in the order of O2, at most `max_events` and about as many bytes as may be buffered."""
        at_end = self._at_end()
        runs: list[tuple[Topic, list[Item]]] = []
        taken = taken_bytes = 0
        while taken < self._max_events and taken_bytes < MAX_BUFFERED_BYTES:
            popped = self._merger.pop_run(
                at_end.__contains__, limit=self._max_events - taken, size=_size, room=MAX_BUFFERED_BYTES - taken_bytes
            )
            if popped is None:
                break
            topic, run, run_bytes = popped
            self._feeds[topic].buffered_bytes -= run_bytes
            taken_bytes += run_bytes
            taken += len(run)
            runs.append((topic, run))
        return self._batch(runs) if runs else None

    def nothing(self) -> Batch:
        """A batch without records: what it commits is where the inputs are."""
        return self._batch([])

    def _batch(self, runs: list[tuple[Topic, list[Item]]]) -> Batch:
        return Batch(self.partition, runs, self.offsets(), dict(self._merger.last_times), self.watermark_ms())

    def watermark_ms(self) -> int | None:
        """The newest instant (ms) at which all four inputs had been read to their ends, with all of that taken (O1).

        None while one of them was not heard of, or has more than was taken since it was first heard of.
        """
        offsets = self.offsets()
        oldest_ms: int | None = None
        for topic, feed in self._feeds.items():
            topic_ms = feed.watermark_ms(offsets[topic])
            if topic_ms is None:
                return None
            oldest_ms = topic_ms if oldest_ms is None else min(oldest_ms, topic_ms)
        return oldest_ms

    def offsets(self) -> dict[Topic, int]:
        """Where each topic is read on: its first buffered record, or the position past markers and gaps."""
        heads = ((topic, self._merger.head(topic)) for topic in RANK)
        return {topic: self._feeds[topic].position if item is None else item[0].offset for topic, item in heads}

    def behind(self, committed: Mapping[Topic, int]) -> dict[Topic, int]:
        """Records of each topic that are on the broker and not committed; markers and gaps count as records."""
        return {topic: max(0, (feed.end or 0) - committed[topic]) for topic, feed in self._feeds.items()}

    def oldest_timestamp_ms(self) -> int | None:
        """The broker timestamp of the oldest record that waits here, in ms."""
        heads = [item[0].timestamp for topic in RANK if (item := self._merger.head(topic)) is not None]
        return min(heads, default=None)

    def _at_end(self) -> set[Topic]:
        """The topics of which the broker lately said that there is nothing after what was fetched."""
        oldest = self._now() - STALE_S
        return {
            topic
            for topic, feed in self._feeds.items()
            if feed.end is not None and feed.position >= feed.end and feed.heard_at >= oldest
        }


def _size(item: Item) -> int:
    # For a bound the value says enough; the constant keeps tombstones from being free.
    return 64 + len(item[0].value or b"")
