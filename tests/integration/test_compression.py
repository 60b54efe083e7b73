"""Producers choose how they compress; the worker reads them all."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.settings import Settings
from tests.integration.running import Worker, consume, values
from tests.integration.test_worker import OF_SHOP, SHOP, now_ms
from tests.integration.traffic import message

pytestmark = pytest.mark.broker

CODECS = ("gzip", "lz4", "snappy", "zstd")


async def test_every_codec_of_kafka_is_read(
    cluster_settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    for codec in CODECS:
        async with AIOKafkaProducer(**cluster_settings.kafka_client_kwargs(), compression_type=codec) as producer:
            each = message(SHOP, f"in-{codec}", now_ms())
            await producer.send_and_wait(cluster_settings.topic(each.topic), each.value, key=each.key)
    with Worker(environment, log=tmp_path / "worker.log") as worker:
        consumed = await consume(
            cluster_settings,
            ["assignments"],
            lambda consumed: len(consumed["assignments"][OF_SHOP]) >= 4,
            worker=worker,
        )
    published = values(consumed, "assignments")[OF_SHOP]
    assert [f'"message_id":"in-{codec}"'.encode() in value for codec, value in zip(CODECS, published, strict=True)] == [
        True
    ] * len(CODECS)
