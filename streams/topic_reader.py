"""Reads committed records of one topic, from an instant or from its beginning, to its end or for ever.

It belongs to no consumer group: nothing is remembered, and nobody is disturbed.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka_clients import started
from streams.permissions import partitions_of
from streams.settings import Settings

_POLL_MS = 200


class TopicReader:
    """A position in each partition of a topic; `topic_reader()` makes one. It begins at the end: only what is new."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        self._settings = settings
        self._consumer = consumer
        self._partitions = partitions

    async def from_end(self) -> None:
        """Read what comes from now on."""
        for tp, offset in (await self._consumer.end_offsets(self._partitions)).items():
            self._consumer.seek(tp, offset)

    async def from_beginning(self) -> None:
        """Read everything that is kept."""
        for tp, offset in (await self._consumer.beginning_offsets(self._partitions)).items():
            self._consumer.seek(tp, offset)

    async def from_instant(self, since_ms: int) -> None:
        """Read what was appended at or after an instant (ms since 1970)."""
        found = await self._consumer.offsets_for_times(dict.fromkeys(self._partitions, since_ms))
        for tp, offset in (await self._consumer.end_offsets(self._partitions)).items():
            at = found.get(tp)
            self._consumer.seek(tp, offset if at is None else at.offset)

    async def to_end(self) -> AsyncIterator[ConsumerRecord]:
        """Every record up to where the topic ends now.

        The end is reached when the position is there: markers of transactions and compaction leave gaps.
        """
        ends = await self._consumer.end_offsets(self._partitions)
        while any([await self._consumer.position(tp) < end for tp, end in ends.items()]):
            for record in await self._poll():
                if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield record

    async def to_very_end(self) -> AsyncIterator[ConsumerRecord]:
        """Every record up to where the topic ends now, also those that wait for a transaction before them to end.

        A transaction that is open hides what was committed after its first record. This waits for it: the brokers end
        each within its timeout, a minute by default.
        """
        ends = await _high_watermarks(self._settings, self._partitions)
        while any([await self._consumer.position(tp) < end for tp, end in ends.items()]):
            for record in await self._poll():
                yield record

    async def at(self, partition: int, offsets: Sequence[int]) -> dict[int, ConsumerRecord]:
        """The records of one partition at these offsets, in ascending order; those that are gone are left out."""
        (tp,) = (each for each in self._partitions if each.partition == partition)
        found: dict[int, ConsumerRecord] = {}
        wanted = set(offsets)
        self._consumer.seek(tp, offsets[0])
        while await self._consumer.position(tp) <= offsets[-1]:
            fetched = await self._consumer.getmany(tp, timeout_ms=_POLL_MS)
            found |= {record.offset: record for record in fetched.get(tp, ()) if record.offset in wanted}
        return found

    async def follow(self) -> AsyncIterator[ConsumerRecord]:
        """Every record, for ever."""
        while True:
            for record in await self._poll():
                yield record

    async def _poll(self) -> list[ConsumerRecord]:
        """What came, of all partitions in order of their timestamps."""
        fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=5000)
        return sorted((r for records in fetched.values() for r in records), key=lambda record: record.timestamp)


@asynccontextmanager
async def topic_reader(
    settings: Settings, topic: str, *, only: Collection[int] | None = None
) -> AsyncIterator[TopicReader]:
    """A connected reader.

    Args:
        settings: where the cluster is.
        topic: its name on the cluster.
        only: the partitions to read; None: all.

    Raises:
        ClusterError: if there is no such topic, or this user may not read it.
        BrokerUnreachableError: if no broker answers.
    """
    kafka = settings.kafka_client_kwargs()
    counts = await partitions_of(settings, [topic], "Read")
    consumer = AIOKafkaConsumer(
        **kafka,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_POLL_MS,
    )
    async with started(consumer, kafka):
        numbers = range(counts[topic])
        partitions = [TopicPartition(topic, number) for number in numbers if only is None or number in only]
        consumer.assign(partitions)
        reader = TopicReader(settings, consumer, partitions)
        await reader.from_end()
        yield reader


async def _high_watermarks(settings: Settings, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Where partitions end for whoever reads open transactions too."""
    kafka = settings.kafka_client_kwargs()
    consumer = AIOKafkaConsumer(**kafka, group_id=None, enable_auto_commit=False, isolation_level="read_uncommitted")
    async with started(consumer, kafka):
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
