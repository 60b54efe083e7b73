"""Records that are gone, and topics that are others, under a worker: it ends and says so, and skips nothing."""

import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete

from streams.kafka_clients import administration, partition_counts
from streams.partitioner import partition_of
from streams.settings import Settings
from tests.integration.conftest import PARTITIONS
from tests.integration.running import Worker, consume, produce, total
from tests.integration.traffic import message, status

pytestmark = pytest.mark.kafka

SHOP = "shop-1"
NUMBER = partition_of(SHOP.encode(), PARTITIONS)
BEFORE = 30


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Worker:
    return Worker(environment, log=tmp_path / "worker.log")


async def cut(settings: Settings) -> None:
    """What retention does: the worker has not read the records before the newest five.

    The first is the answer to the fetch that the worker had under way.
    """
    await produce(settings, [message(SHOP, "first", now_ms())])
    await produce(settings, [message(SHOP, f"n{n}", now_ms()) for n in range(19)])
    async with administration(settings.kafka_client_kwargs()) as admin:
        tp = TopicPartition(settings.topic("buyer-messages"), NUMBER)
        await admin.delete_records({tp: RecordsToDelete(before_offset=BEFORE + 15)})


async def replace(settings: Settings, count: int) -> None:
    """Delete the topic, create it anew, and put some records there."""
    topic = settings.topic("buyer-messages")
    async with administration(settings.kafka_client_kwargs()) as admin:
        await admin.delete_topics([topic])
        while topic in await partition_counts(settings.kafka_client_kwargs()):
            pass
        while (await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])).topic_errors[0][1]:
            pass
    while topic not in await partition_counts(settings.kafka_client_kwargs()):
        pass
    await produce(settings, [message(SHOP, f"other{n}", now_ms()) for n in range(count)])


async def replaced_by_a_shorter_one(settings: Settings) -> None:
    await replace(settings, BEFORE - 10)


async def replaced_by_a_longer_one(settings: Settings) -> None:
    await replace(settings, BEFORE + 10)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (cut, f"retention deleted the records {BEFORE + 1} to {BEFORE + 14} before they were read"),
        (replaced_by_a_shorter_one, "deleted and created anew"),
        (replaced_by_a_longer_one, "deleted and created anew"),
    ],
)
async def test_a_worker_ends_where_its_next_records_are_gone(
    cluster_settings: Settings,
    worker: Worker,
    fault: Callable[[Settings], Coroutine[None, None, None]],
    says: str,
) -> None:
    await produce(cluster_settings, [status(SHOP, "agent-1", now_ms())])
    await produce(cluster_settings, [message(SHOP, f"m{n}", now_ms()) for n in range(BEFORE)])
    with worker:
        await consume(cluster_settings, ["assignments"], lambda seen: total(seen) == BEFORE, worker=worker)
        worker.signal(signal.SIGSTOP)
        await fault(cluster_settings)
        worker.signal(signal.SIGCONT)
        assert worker.wait() == 78
    assert says in worker.log()
    if fault is cut:
        seen = await consume(cluster_settings, ["assignments"], lambda seen: total(seen) >= BEFORE + 1)
        assert total(seen) == BEFORE + 1
