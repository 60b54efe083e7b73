"""Four topics of one partition, merged by their heads (O2).

It knows no Kafka: whoever fills it says which topics are read to their end.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from schemas.codec import RANK, Topic

T = TypeVar("T")


class Merger(Generic[T]):
    """The order in which the records of one partition are applied.

    Each topic keeps its own order; of the next records the one with the smallest (time, topic rank) comes first. A
    record without a time takes that of the one before it in its topic: `last_times` (ms), part of every checkpoint.
    """

    def __init__(self, last_times: Mapping[Topic, int] | None = None) -> None:
        self.last_times: dict[Topic, int] = dict.fromkeys(RANK, 0) | dict(last_times or {})
        self._pushed_times = dict(self.last_times)
        self._queues: dict[Topic, deque[tuple[int, T]]] = {topic: deque() for topic in RANK}

    def push(self, topic: Topic, time_ms: int | None, payload: T) -> None:
        """Put a record behind those of its topic; without a time it goes to dead-letters and moves no other."""
        self.extend(topic, [(time_ms, payload)])

    def extend(self, topic: Topic, records: Iterable[tuple[int | None, T]]) -> None:
        """Put records, each with its time, behind those of their topic, as `push` does with one."""
        queue, newest_ms = self._queues[topic], self._pushed_times[topic]
        for time_ms, payload in records:
            if time_ms is not None:
                newest_ms = time_ms
            queue.append((newest_ms, payload))
        self._pushed_times[topic] = newest_ms

    def next_topic(self, at_end: Callable[[Topic], bool] = lambda _: True) -> Topic | None:
        """The topic whose record comes next.

        None while a topic that is not read to its end has nothing here, or when all are empty.
        """
        chosen: Topic | None = None
        first_ms = 0
        for topic, queue in self._queues.items():  # in order of rank, so of two records of one time the first is right
            if queue:
                time_ms = queue[0][0]
                if chosen is None or time_ms < first_ms:
                    first_ms, chosen = time_ms, topic
            elif not at_end(topic):
                return None
        return chosen

    def pop(self, at_end: Callable[[Topic], bool] = lambda _: True) -> tuple[Topic, int, T] | None:
        """Take the next record: its topic, its time for the order (ms), and what was pushed; None as `next_topic`."""
        topic = self.next_topic(at_end)
        if topic is None:
            return None
        time_ms, payload = self._queues[topic].popleft()
        self.last_times[topic] = time_ms
        return topic, time_ms, payload

    def pop_run(
        self, at_end: Callable[[Topic], bool], *, limit: int, size: Callable[[T], int], room: int
    ) -> tuple[Topic, list[T], int] | None:
        """Take the next records as long as they are of one topic; None as `next_topic`.

        Args:
            at_end: whether a topic has nothing that is not here.
            limit: at most so many.
            size: of a record.
            room: none after those that fill it.

        Returns:
            The topic, what was pushed, and its size.
        """
        chosen: Topic | None = None
        first_ms = before_ms = 0
        bounded = False  # whether another topic's record ends the run, at `before_ms`
        for topic, queue in self._queues.items():  # in order of rank
            if queue:
                time_ms = queue[0][0]
                if chosen is None:
                    chosen, first_ms = topic, time_ms
                elif time_ms < first_ms:
                    chosen, first_ms, before_ms, bounded = topic, time_ms, first_ms, True
                elif not bounded or time_ms < before_ms:
                    before_ms, bounded = time_ms + 1, True  # of one time the lower rank, which is ours, comes first
            elif not at_end(topic):
                return None
        if chosen is None:
            return None
        queue = self._queues[chosen]
        run: list[T] = []
        filled = 0
        while queue and len(run) < limit and filled < room and not (bounded and queue[0][0] >= before_ms):
            first_ms, payload = queue.popleft()
            run.append(payload)
            filled += size(payload)
        self.last_times[chosen] = first_ms
        return chosen, run, filled

    def head(self, topic: Topic) -> T | None:
        """The record of a topic that comes next, if one is here."""
        queue = self._queues[topic]
        return queue[0][1] if queue else None

    def time_ms(self, topic: Topic) -> int:
        """The time for the order of a topic's next record, which must be here."""
        return self._queues[topic][0][0]

    def buffered(self, topic: Topic) -> int:
        """How many records of a topic wait here."""
        return len(self._queues[topic])
