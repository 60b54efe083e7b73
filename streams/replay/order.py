"""Events of files in the order in which they are decided (O2, section 10)."""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from schemas.codec import RANK, Event, Topic
from streams.partitioner import partition_of
from streams.routing import Merger


class _Placed(NamedTuple):
    place: int
    event: Event


class EventOrder:
    """Merges each shop's events for itself, or each partition's as a cluster of `partitions` would.

    A shop's events of one type are one topic, in the order of their lines. Over shops, or partitions, the smallest
    head goes first: by time, then topic rank, then line.
    """

    def __init__(self, partitions: int | None = None) -> None:
        self._merger_of: Callable[[Event], str | int] = (
            (lambda event: event.shop_id)
            if partitions is None
            else (lambda event: partition_of(event.shop_id.encode(), partitions))
        )
        self._mergers: dict[str | int, Merger[_Placed]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, topic: Topic, event: Event) -> None:
        """Put an event behind those of its topic."""
        key = self._merger_of(event)
        merger = self._mergers.get(key)
        if merger is None:
            merger = self._mergers[key] = Merger()
        merger.push(topic, event.occurred_at_ms, _Placed(self._count, event))
        self._count += 1

    def __iter__(self) -> Iterator[Event]:
        """Take the events, in order."""
        heads = [head for merger in self._mergers.values() if (head := _head(merger)) is not None]
        heapify(heads)
        while heads:
            merger = heads[0][3]
            popped = merger.pop()
            assert popped is not None, "a merger in the heap has a head"  # noqa: S101
            head = _head(merger)
            if head is None:
                heappop(heads)
            else:
                heapreplace(heads, head)
            yield popped[2].event


def _head(merger: Merger[_Placed]) -> tuple[int, int, int, Merger[_Placed]] | None:
    topic = merger.next_topic()
    if topic is None:
        return None
    placed = merger.head(topic)
    assert placed is not None, "the next topic has a head"  # noqa: S101
    return merger.time_ms(topic), RANK[topic], placed.place, merger
