"""What an operator does to a cluster, by hand or by mistake."""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewPartitions, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.kafka_clients import administration, topics_as_each_broker_knows
from streams.settings import Settings
from streams.topics import create, declared

_GONE_WITHIN_S = 30.0


async def commit(settings: Settings, offsets: Mapping[TopicPartition, int]) -> None:
    """Move the group's offsets: in a transaction, since that is taken while the group has members, too."""
    async with (
        AIOKafkaProducer(**settings.kafka_client_kwargs(), transactional_id=f"{settings.app_id}-operator") as producer,
        producer.transaction(),
    ):
        await producer.send_offsets_to_transaction(dict(offsets), settings.app_id)


async def alter(settings: Settings, topic: str, *, replication: int = 1, **configs: str) -> None:
    """Set some configs of a topic; all others become as declared."""
    values = dict(next(each.configs for each in declared(settings) if each.name == topic))
    values["min.insync.replicas"] = "2" if replication > 2 else "1"
    values |= {name.replace("_", "."): value for name, value in configs.items()}
    async with administration(settings.kafka_client_kwargs()) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=values)])


async def delete_topics(settings: Settings, names: Collection[str]) -> None:
    """Delete topics, and wait until no broker knows them."""
    async with asyncio.timeout(_GONE_WITHIN_S), administration(settings.kafka_client_kwargs()) as admin:
        await admin.delete_topics(list(names))
        while True:
            if not any(name in topics for topics in await topics_as_each_broker_knows(admin) for name in names):
                return
            await asyncio.sleep(0.05)


async def recreate(settings: Settings, names: Collection[str], *, partitions: int) -> None:
    """Delete topics and create them anew, as `fenliu topics create` does."""
    await delete_topics(settings, names)
    await create(settings, partitions=partitions, replication=1)


async def cut(settings: Settings, before: Mapping[TopicPartition, int]) -> None:
    """Delete the records before some offsets, as retention does."""
    async with administration(settings.kafka_client_kwargs()) as admin:
        await admin.delete_records({tp: RecordsToDelete(before_offset=offset) for tp, offset in before.items()})


async def grow(settings: Settings, names: Collection[str], partitions: int) -> None:
    """Give topics more partitions."""
    async with asyncio.timeout(_GONE_WITHIN_S), administration(settings.kafka_client_kwargs()) as admin:
        await admin.create_partitions({name: NewPartitions(partitions) for name in names})
        while True:
            answers = await topics_as_each_broker_knows(admin)
            if all(len(topics[name]["partitions"]) == partitions for topics in answers for name in names):
                return
            await asyncio.sleep(0.05)
