"""From a producer's trace to the consumer of assignments."""

import time
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from streams.dead_letters import Header
from streams.partitioner import partition_of
from streams.settings import Settings
from tests.integration.conftest import PARTITIONS
from tests.integration.running import Worker, consume, produce, total
from tests.integration.traffic import SHOPS, message, status

pytestmark = pytest.mark.broker

SHOP = SHOPS[0]


def trace(number: int) -> list[Header]:
    parent = f"00-{number:032x}-00f067aa0ba902b7-01"
    return [("traceparent", parent.encode()), ("tracestate", f"vendor={number}".encode())]


async def test_an_assignment_has_the_trace_of_its_message(
    cluster_settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    now_ms = int(time.time() * 1000)
    await produce(cluster_settings, [status(SHOP, "a", now_ms)])
    sent: dict[str, list[Header]] = {}
    async with AIOKafkaProducer(**cluster_settings.kafka_client_kwargs()) as producer:
        for number in range(1, 7):
            each = message(SHOP, f"m{number}", now_ms + number, f"b{number}")
            sent[f"m{number}"] = trace(number) if number % 2 else [("other", b"1")] * (number == 2)
            await producer.send_and_wait(
                cluster_settings.topic(each.topic), each.value, key=each.key, headers=sent[f"m{number}"]
            )
    with Worker(environment, log=tmp_path / "worker.log") as worker:
        seen = await consume(cluster_settings, ["assignments"], lambda found: total(found) == 6, worker=worker)
    found = {
        orjson.loads(each.value)["message_id"]: list(each.headers)
        for each in seen["assignments"][partition_of(SHOP.encode(), PARTITIONS)]
    }
    assert found == {name: headers if len(headers) == 2 else [] for name, headers in sent.items()}
