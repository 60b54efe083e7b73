"""Shop settings to and from the topic shop-configs. What they mean is the router's business."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from schemas.codec import InvalidEvent, decode
from schemas.shop import ShopConfigChange
from streams.errors import UsageError
from streams.kafka_clients import acknowledged, started
from streams.partitioner import partition_of
from streams.permissions import partitions_of
from streams.settings import Settings
from streams.shops_file import Shop
from streams.topic_reader import topic_reader

TOPIC: Final = "shop-configs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A shop's settings and the record that holds them."""

    change: ShopConfigChange
    partition: int
    offset: int
    timestamp_ms: int


async def push(settings: Settings, shops: Sequence[Shop]) -> list[Stored]:
    """Send the settings of shops, and wait until all in-sync brokers have them.

    Raises:
        UsageError: if one is larger than an event may be; then none is sent.
        ClusterError: if the topic does not exist, or this user may not write to it.
        BrokerUnreachableError: if no broker answers.
    """
    topic, kafka = settings.topic(TOPIC), settings.kafka_client_kwargs()
    records = [(shop, shop.change.shop_id.encode(), _value(shop)) for shop in shops]
    counts = await partitions_of(settings, [topic], "Write")
    producer = AIOKafkaProducer(**kafka, acks="all", enable_idempotence=True)
    async with started(producer, kafka):
        # The partition is named, so that it is the one where the router expects the shop.
        sent = [
            await producer.send(topic, value, key=key, partition=partition_of(key, counts[topic]))
            for _, key, value in records
        ]
        told = await acknowledged(sent) if sent else []
    return [
        Stored(
            change=replace(shop.change, occurred_at_ms=shop.document.get("occurred_at_ms") or at.timestamp),
            partition=at.partition,
            offset=at.offset,
            timestamp_ms=at.timestamp,
        )
        for (shop, _, _), at in zip(records, told, strict=True)
    ]


async def newest(settings: Settings, shop_id: str) -> tuple[Stored | None, list[str]]:
    """The settings in force for a shop, None if it never had any; and what newer records were refused for.

    Raises:
        ClusterError: if the topic does not exist, or this user may not read it.
        BrokerUnreachableError: if no broker answers.
    """
    key, found, refused = shop_id.encode(), None, list[str]()
    topic = settings.topic(TOPIC)
    counts = await partitions_of(settings, [topic], "Read")
    partition = partition_of(key, counts[topic])
    async with topic_reader(settings, topic, only=[partition]) as reader:
        await reader.from_beginning()
        async for record in reader.to_end():
            if record.key != key:
                continue
            try:
                change = decode(TOPIC, record.value, key=record.key, timestamp_ms=record.timestamp)
            except InvalidEvent as invalid:
                refused.append(f"{topic}, partition {partition}, offset {record.offset}: {invalid}")
                continue
            assert isinstance(change, ShopConfigChange)  # noqa: S101  the topic has no other events
            refused.clear()
            found = Stored(change=change, partition=partition, offset=record.offset, timestamp_ms=record.timestamp)
    return found, refused


def document(change: ShopConfigChange) -> dict[str, object]:
    """Settings as a shops file has them: what was given, after the shop's id."""
    settings: Mapping[str, object] = {"reset": True} if change.given is None else orjson.loads(change.given)
    return {"shop_id": change.shop_id, **settings}


def _value(shop: Shop) -> bytes | None:
    """What goes into the record: nothing for a reset, which is the tombstone, else the settings that were given."""
    change, given = shop.change, shop.document
    envelope = {name: given[name] for name in ("event_id", "occurred_at_ms") if given.get(name) is not None}
    if change.given is None and not envelope:
        return None
    value = orjson.dumps({"type": "shop_config", **envelope, **document(change)})
    try:
        decode(TOPIC, value, key=change.shop_id.encode(), timestamp_ms=change.occurred_at_ms)
    except InvalidEvent as invalid:
        raise UsageError(f"these settings would be refused: {invalid}", where=change.shop_id) from None
    return value
