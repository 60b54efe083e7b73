"""Events of files in the order in which they are decided (O2, section 10)."""

from collections.abc import Iterator, Set
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from schemas.codec import RANK, TYPE_OF_TOPIC, Event, Topic
from schemas.events import MAX_TIME_MS
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
        self._partitions = partitions
        self._mergers: dict[str | int, Merger[_Placed]] = {}
        self._by_shop: dict[str, Merger[_Placed]] = {}
        self._count = 0
        self.first_ms = MAX_TIME_MS
        """The time of the earliest event, if there is one."""
        self.last_ms = 0
        """The time of the latest event, if there is one."""

    def __len__(self) -> int:
        return self._count

    @property
    def shops(self) -> Set[str]:
        """Those that have events."""
        return self._by_shop.keys()

    def by_type(self) -> dict[str, int]:
        """How many events of each type wait here."""
        return {
            kind: sum(merger.buffered(topic) for merger in self._mergers.values())
            for topic, kind in TYPE_OF_TOPIC.items()
        }

    def add(self, topic: Topic, event: Event) -> None:
        """Put an event behind those of its topic."""
        merger = self._by_shop.get(event.shop_id)
        if merger is None:
            merger = self._by_shop[event.shop_id] = self._mergers.setdefault(self._key(event.shop_id), Merger())
        at_ms = event.occurred_at_ms
        merger.push(topic, at_ms, _Placed(self._count, event))
        self._count += 1
        if at_ms > self.last_ms:  # noqa: PLR1730  a call would cost every event more than the rest of it
            self.last_ms = at_ms
        if at_ms < self.first_ms:  # noqa: PLR1730
            self.first_ms = at_ms

    def _key(self, shop_id: str) -> str | int:
        return shop_id if self._partitions is None else partition_of(shop_id.encode(), self._partitions)

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
