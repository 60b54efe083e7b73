"""Producers of the four inputs, in ways that leave no doubt about the order. `tests.faults` says why it matters."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer, TopicPartition

from streams.partitioner import partition_of
from streams.settings import Settings
from streams.simulate.publisher import publisher
from streams.simulate.record import Record
from tests.faults.commits import Commits

if TYPE_CHECKING:
    from schemas.codec import Topic

_WAVE_RECORDS = 500
_TRANSACTION_RECORDS = 150


async def feed_backlog(settings: Settings, records: Sequence[Record]) -> None:
    """Publish everything, before any worker runs: idempotent, acks=all, murmur2."""
    async with publisher(settings) as out:
        await out.publish(records)


async def feed_transactions(settings: Settings, records: Sequence[Record], partitions: int) -> None:
    """Publish everything in committed transactions, with an aborted one after each, and one at the very end.

    What is aborted are copies of the records to come, under ids of their own: whoever reads them decides wrongly.
    """
    producer = AIOKafkaProducer(
        **settings.kafka_client_kwargs(), transactional_id=f"{settings.app_id}-feeder", max_request_size=4 << 20
    )
    async with producer:
        for start in range(0, len(records), _TRANSACTION_RECORDS):
            part = records[start : start + _TRANSACTION_RECORDS]
            async with producer.transaction():
                await _send(producer, settings, part, partitions)
            await producer.begin_transaction()
            await _send(producer, settings, [_false(record) for record in part], partitions)
            await producer.abort_transaction()


async def feed_live(
    settings: Settings, records: Sequence[Record], partitions: int, commits: Commits, *, within_s: float
) -> None:
    """Publish while workers run: each partition's next wave when the one before is committed."""
    by_partition: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        by_partition[_partition(record, partitions)].append(record)
    producer = AIOKafkaProducer(
        **settings.kafka_client_kwargs(), acks="all", enable_idempotence=True, max_request_size=4 << 20
    )
    async with producer, asyncio.TaskGroup() as tasks:
        for of_partition in by_partition.values():
            tasks.create_task(_feed_waves(producer, settings, of_partition, partitions, commits, within_s))


async def _feed_waves(
    producer: AIOKafkaProducer,
    settings: Settings,
    records: Sequence[Record],
    partitions: int,
    commits: Commits,
    within_s: float,
) -> None:
    for wave in waves(records):
        await commits.reached(await _send(producer, settings, wave, partitions), within_s=within_s)


def waves(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Cut one partition's records so that within a wave every shop has records of one topic only."""
    wave: list[Record] = []
    topics: dict[bytes, Topic] = {}
    for record in records:
        # A bad record moves no other (O2), so its topic does not matter.
        topic = topics.setdefault(record.key, record.topic) if not record.spoiled else record.topic
        if topic != record.topic or len(wave) >= _WAVE_RECORDS:
            yield wave
            wave, topics = [], {}
            if not record.spoiled:
                topics[record.key] = record.topic
        wave.append(record)
    if wave:
        yield wave


async def _send(
    producer: AIOKafkaProducer, settings: Settings, records: Iterable[Record], partitions: int
) -> dict[TopicPartition, int]:
    """Send and wait; the offsets after the last ones."""
    deliveries = [
        await producer.send(
            settings.topic(record.topic), record.value, key=record.key, partition=_partition(record, partitions)
        )
        for record in records
    ]
    ends: dict[TopicPartition, int] = {}
    for told in await asyncio.gather(*deliveries):
        tp = TopicPartition(told.topic, told.partition)
        ends[tp] = max(ends.get(tp, 0), told.offset + 1)
    return ends


def _partition(record: Record, partitions: int) -> int:
    partition = partition_of(record.key, partitions)
    return (partition + 1) % partitions if record.misrouted else partition


def _false(record: Record) -> Record:
    value = record.value
    return record if value is None else record._replace(value=value.replace(b'"event_id":"', b'"event_id":"false-'))
