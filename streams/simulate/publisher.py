"""Traffic to the four input topics of Kafka, keyed and partitioned as producers are asked to.

Records carry the time at which they are sent, as a chat system's would, so the traffic must not lie ahead of the clock:
fenliu puts an event more than FENLIU_MAX_CLOCK_SKEW_S ahead of its record's timestamp to the dead letters.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from schemas.codec import RANK, Topic
from streams.kafka_clients import acknowledged, started
from streams.partitioner import partition_of
from streams.permissions import partitions_of
from streams.settings import Settings
from streams.simulate.options import OptionsError
from streams.simulate.record import Record

if TYPE_CHECKING:
    from aiokafka.producer.message_accumulator import BatchBuilder

_GROUP = 2000
"""Records sent and awaited together: at full speed no topic gets further ahead of another in event time than this."""
_TICK_S = 0.01
_BATCH_BYTES = 400 * 1024


def default_start_ms(now_ms: int, span_ms: int, speed: float | None) -> int:
    """The start of traffic that ends now, or, if it is paced, that has caught up with the clock when it ends."""
    takes_ms = span_ms / speed if speed else 0
    return min(now_ms, round(now_ms + takes_ms - span_ms))


def check_start(start_ms: int, now_ms: int, span_ms: int, speed: float | None, allowed_skew_s: int) -> None:
    """Refuse traffic that would be ahead of the clock.

    Raises:
        OptionsError: if events would be more than the allowed skew ahead of the time at which they are sent.
    """
    takes_ms = span_ms / speed if speed else 0
    ahead_ms = max(start_ms - now_ms, start_ms + span_ms - now_ms - takes_ms)
    if ahead_ms > allowed_skew_s * 1000:
        raise OptionsError(
            f"events would be up to {ahead_ms / 1000:,.0f} s ahead of the clock, and fenliu takes at most "
            f"{allowed_skew_s} s (clock_skew)",
            where="--start",
            mend="leave --start out, or give an earlier one, or --speed 1 with a start now",
        )


class Publisher:
    """Sends traffic through an idempotent producer; `publisher()` makes one."""

    def __init__(
        self, producer: AIOKafkaProducer, topics: Mapping[Topic, str], partitions: Mapping[Topic, int]
    ) -> None:
        self._producer = producer
        self._topics = topics
        self._partitions = partitions

    async def publish(self, records: Iterable[Record], speed: float | None = None) -> None:
        """Send everything; `speed` is event time against wall time, None or 0 as fast as the brokers take it."""
        for due_at_s, group in groups(records, speed):
            await asyncio.sleep(max(0.0, due_at_s - time.monotonic()))
            await self.send(group)

    async def send(self, group: list[Record]) -> None:
        """Send records, and wait until all of them are acknowledged.

        Raises:
            KafkaError: if the brokers refuse a record; `publisher` turns it into words.
            TimeoutError: if they do not acknowledge it in time; the same.
        """
        now_ms = time.time_ns() // 1_000_000
        batches: dict[tuple[Topic, int], list[BatchBuilder]] = {}
        for record in group:
            partition = self._partition(record)
            open_batches = batches.setdefault((record.topic, partition), [])
            fits = open_batches and open_batches[-1].append(timestamp=now_ms, key=record.key, value=record.value)
            if not fits:
                open_batches.append(self._producer.create_batch())
                open_batches[-1].append(timestamp=now_ms, key=record.key, value=record.value)
        # The rarer topics first: who reads along should have seen an agent come before the buyer whom it gets.
        for topic in sorted(RANK, key=RANK.__getitem__):
            sent = [
                await self._producer.send_batch(batch, self._topics[topic], partition=partition)
                for (of_topic, partition), open_batches in sorted(batches.items(), key=itemgetter(0))
                if of_topic == topic
                for batch in open_batches
            ]
            if sent:
                await acknowledged(sent)

    def _partition(self, record: Record) -> int:
        count = self._partitions[record.topic]
        partition = partition_of(record.key, count)
        return (partition + 1) % count if record.misrouted else partition


@asynccontextmanager
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    """A publisher to the input topics, connected.

    Raises:
        BrokerUnreachableError: when no broker answers, or none does any more.
        ClusterError: when an input topic is missing, or this user may not write to it, or a record is refused.
    """
    kafka = settings.kafka_client_kwargs()
    topics = {topic: settings.topic(topic) for topic in RANK}
    counts = await partitions_of(settings, topics.values(), "Write")
    producer = AIOKafkaProducer(
        **kafka, acks="all", enable_idempotence=True, max_batch_size=_BATCH_BYTES, client_id="fenliu-simulate"
    )
    async with started(producer, kafka):
        yield Publisher(producer, topics, {topic: counts[name] for topic, name in topics.items()})


def groups(
    records: Iterable[Record], speed: float | None, *, now_ms: int | None = None
) -> Iterator[tuple[float, list[Record]]]:
    """Cut the traffic into groups, each with the instant of the monotonic clock at which it is due.

    Args:
        records: in order of time.
        speed: event time against wall time; None or 0: everything is due at once.
        now_ms: the event time that is due now, what lies before it at once; None: the first record's.
    """
    group: list[Record] = []
    began_s = time.monotonic()
    first_ms = now_ms
    due_s = group_due_s = began_s
    for record in records:
        if speed:
            first_ms = record.at_ms if first_ms is None else first_ms
            due_s = max(began_s, began_s + (record.at_ms - first_ms) / 1000 / speed)
        if group and (len(group) >= _GROUP or due_s - group_due_s > _TICK_S):
            yield group_due_s, group
            group = []
        if not group:
            group_due_s = due_s
        group.append(record)
    if group:
        yield group_due_s, group
