"""Producers to consumers: every decision once and in order, whatever happens to the worker on the way."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streams.lane.takeover import state_reader
from streams.settings import Settings
from tests.integration.conftest import PARTITIONS
from tests.integration.running import Consumed, Worker, consume, produce, total, values
from tests.integration.traffic import Decided, Record, by_topic, decided, message, status, traffic

pytestmark = pytest.mark.broker

OUTPUTS = ("assignments", "agent-presence")
STOPS_WITHIN_S = 10.0
TINY_BATCHES = {"FENLIU_MAX_BATCH_EVENTS": "20"}


def count(expected: dict[int, Decided]) -> int:
    return sum(len(each.assignments) + len(each.presence) for each in expected.values())


def at_least(records: int) -> Callable[[Consumed], bool]:
    return lambda consumed: total(consumed) >= records


async def routed(settings: Settings, records: list[Record], worker: Worker) -> Consumed:
    """Everything that was published, once as much is there as must be."""
    expected = count(decided(records, PARTITIONS))
    return await consume(settings, OUTPUTS, at_least(expected), worker=worker)


async def assert_routed(settings: Settings, records: list[Record], worker: Worker) -> None:
    """What consumers see is what the pure core says, byte for byte and in order, and nothing else."""
    consumed = await routed(settings, records, worker)
    expected = decided(records, PARTITIONS)
    for topic, of in (("assignments", 0), ("agent-presence", 1)):
        assert values(consumed, topic) == {number: each[of] for number, each in sorted(expected.items()) if each[of]}


@pytest.fixture
def named(cluster_settings: Settings, environment: dict[str, str]) -> dict[str, str]:  # noqa: ARG001  makes the topics
    """A name lets a worker that was killed come back at once; the embedded broker would keep the dead one for ever."""
    return environment | {"FENLIU_GROUP_INSTANCE_ID": "w"}


@pytest.fixture
def worker(named: dict[str, str], tmp_path: Path) -> Worker:
    return Worker(named, log=tmp_path / "worker.log")


@pytest.fixture
def in_steps(named: dict[str, str], tmp_path: Path) -> Worker:
    """One that routes few events a transaction, so that there is much between its begin and its end."""
    return Worker(named | TINY_BATCHES, log=tmp_path / "worker.log")


async def test_live_traffic_is_routed_once_each(cluster_settings: Settings, worker: Worker) -> None:
    """Live, the topics of a partition may overtake each other by milliseconds (O3); but nothing is lost or repeated."""
    records = traffic(600)
    messages = [orjson.loads(each.value or b"")["event_id"] for each in records if each.topic == "buyer-messages"]
    with worker:
        for start in range(0, len(records), 100):
            await produce(cluster_settings, records[start : start + 100])
        consumed = await consume(
            cluster_settings, ["assignments"], lambda seen: len(assigned(seen)) >= len(messages), worker=worker
        )
        assert worker.stop() == 0
    assert sorted(assigned(consumed)) == sorted(messages)


def assigned(consumed: Consumed) -> list[str]:
    """The messages that were assigned, by their first assignments."""
    ids = [orjson.loads(value)["assignment_id"] for each in values(consumed, "assignments").values() for value in each]
    return [each for each in ids if "#" not in each]


async def test_backlog_of_four_topics_is_merged_in_order_of_event_time(
    cluster_settings: Settings, worker: Worker
) -> None:
    """O2: published topic by topic, decided as it would have been live."""
    records = traffic(3000)
    await produce(cluster_settings, by_topic(records))
    with worker:
        await assert_routed(cluster_settings, records, worker)


async def test_a_backlog_in_tiny_batches_is_decided_the_same(cluster_settings: Settings, in_steps: Worker) -> None:
    records = traffic(2000)
    await produce(cluster_settings, by_topic(records))
    with in_steps:
        await assert_routed(cluster_settings, records, in_steps)


async def test_killed_again_and_again_it_still_decides_the_same(cluster_settings: Settings, in_steps: Worker) -> None:
    records = traffic(4000)
    await produce(cluster_settings, by_topic(records))
    with in_steps as worker:
        for seen in (1, 300, 900, 1500):
            await consume(cluster_settings, OUTPUTS, at_least(seen), worker=worker)
            worker.kill()
            worker.start()
        await assert_routed(cluster_settings, records, worker)


async def test_sigterm_commits_and_exits_with_0(cluster_settings: Settings, in_steps: Worker) -> None:
    records = traffic(4000)
    await produce(cluster_settings, by_topic(records))
    with in_steps as worker:
        await consume(cluster_settings, OUTPUTS, at_least(1), worker=worker)
        asked = time.monotonic()
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        assert time.monotonic() - asked < STOPS_WITHIN_S
        worker.start()
        await assert_routed(cluster_settings, records, worker)


async def test_a_worker_that_was_overtaken_publishes_nothing_more(cluster_settings: Settings, worker: Worker) -> None:
    """Whoever takes the transactional id of a partition is its owner; the one before ends with exit code 3."""
    now_ms = int(time.time() * 1000)
    first, second = message("shop-1", "m1", now_ms), message("shop-1", "m2", now_ms)
    await produce(cluster_settings, [status("shop-1", "agent-1", now_ms), first])
    with worker:
        consumed = await consume(cluster_settings, ["assignments"], at_least(1), worker=worker)
        (partition,) = consumed["assignments"]
        async with AIOKafkaProducer(
            **cluster_settings.kafka_client_kwargs(), transactional_id=cluster_settings.transactional_id(partition)
        ):
            await produce(cluster_settings, [second])
            assert await asyncio.to_thread(worker.wait) == 3, worker.log()
        assert "another worker has taken the partition over" in worker.log()
        worker.start()
        consumed = await consume(cluster_settings, ["assignments"], at_least(2), worker=worker)
        assert total(consumed) == 2


async def test_a_reader_of_state_may_change_its_assignment_at_once(cluster_settings: Settings) -> None:
    """A take-over reads the checkpoint and then the tables; what it reads first may be empty, and read in no time."""
    topics = [cluster_settings.topic(topic) for topic in ("assignments", "agent-presence", "dead-letters")]
    async with state_reader(cluster_settings) as reader:
        for topic in topics:
            reader.assign([TopicPartition(topic, 0)])
            for _ in range(5):
                await asyncio.sleep(0)  # whatever the client begins now has begun
        await reader.committed(TopicPartition(topics[0], 0))
        assert await reader.getmany(timeout_ms=100) == {}
