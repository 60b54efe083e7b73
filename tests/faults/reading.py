"""What is on the cluster at the end of a run, as a read_committed consumer sees it."""

from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.settings import Settings

Log = dict[int, list[Any]]
"""The records of a topic by partition, in order."""


async def read_topics(settings: Settings, names: Iterable[str]) -> dict[str, Log]:
    """Read whole topics, committed records only.

    Args:
        settings: where the cluster is.
        names: of the topics, on the cluster.
    """
    logs: dict[str, Log] = {name: {} for name in names}
    consumer = AIOKafkaConsumer(
        **settings.kafka_client_kwargs(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=32 << 20,
    )
    async with consumer:
        left = set()
        for name in logs:
            numbers = await _partitions(consumer, name)
            left |= {TopicPartition(name, number) for number in numbers}
            logs[name] = {number: [] for number in sorted(numbers)}
        consumer.assign(list(left))
        ends = await consumer.end_offsets(list(left))
        for tp, offset in (await consumer.beginning_offsets(list(left))).items():
            consumer.seek(tp, offset)
        while left:
            for tp in list(left):
                if await consumer.position(tp) >= ends[tp]:
                    left.discard(tp)
                    consumer.pause(tp)
            if left:
                for tp, records in (await consumer.getmany(*left, timeout_ms=200)).items():
                    logs[tp.topic][tp.partition] += records
    return logs


async def _partitions(consumer: AIOKafkaConsumer, name: str) -> set[int]:
    # A consumer learns of a topic by asking for it.
    await consumer._client.add_topic(name)
    numbers: set[int] | None = consumer.partitions_for_topic(name)
    if not numbers:
        await consumer._client.force_metadata_update()
        numbers = consumer.partitions_for_topic(name)
    assert numbers, f"there is no topic {name}"
    return numbers
