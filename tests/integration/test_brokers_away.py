"""Brokers that go, and groups that move between them: what commands make of it."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams import kafka_clients
from streams.checks import check_group
from streams.errors import BrokerUnreachableError
from streams.group import describe_group
from streams.kafka_clients import administration
from streams.settings import Settings
from streams.simulate import SimulationOptions, simulate
from streams.simulate.publisher import publisher
from streams.topics import create
from tests.kafka.cluster import KafkaCluster, start_cluster

pytestmark = pytest.mark.kafka

ENDS_WITHIN_S = 20
"""Five times what is waited for here, on a busy machine."""


@pytest.fixture(scope="module")
def three() -> Iterator[KafkaCluster]:
    with start_cluster(3) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def settings(three: KafkaCluster) -> Settings:
    """Topics on three brokers, and offsets of the group."""
    settings = Settings.load(kafka_bootstrap_servers=three.bootstrap_servers)
    asyncio.run(create(settings, partitions=1, replication=3))
    asyncio.run(commit(settings, 7))
    return settings


async def commit(settings: Settings, offset: int) -> None:
    consumer = AIOKafkaConsumer(**settings.kafka_client_kwargs(), group_id=settings.app_id, enable_auto_commit=False)
    async with consumer:
        consumer.assign([buyer_messages(settings)])
        await consumer.commit({buyer_messages(settings): offset})


def buyer_messages(settings: Settings) -> TopicPartition:
    return TopicPartition(settings.topic("buyer-messages"), 0)


async def test_offsets_are_there_when_their_coordinator_has_moved(settings: Settings) -> None:
    """Catches: an error about all offsets that is taken for "nothing is committed"."""
    tp = buyer_messages(settings)
    consumer = AIOKafkaConsumer(**settings.kafka_client_kwargs(), group_id=settings.app_id, enable_auto_commit=False)
    async with consumer:
        consumer.assign([tp])
        assert await consumer.committed(tp) == 7
        coordinator = consumer._coordinator
        coordinator.coordinator_id = coordinator.coordinator_id % 3 + 1
        assert await consumer.committed(tp) == 7


async def test_a_group_is_described_by_its_coordinator_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches: "no worker" and "everything is behind" from a broker that does not know the group."""
    async with administration(settings.kafka_client_kwargs()) as admin:
        right: int = await admin.find_coordinator(settings.app_id)
        answers = iter([right % 3 + 1, right, right % 3 + 1])

        async def find_coordinator(_group: str) -> int:
            return next(answers, right)

        monkeypatch.setattr(admin, "find_coordinator", find_coordinator)
        group = await describe_group(admin, settings.app_id)
    assert group.committed == {buyer_messages(settings): 7}
    assert next(answers, None) is None


async def test_an_input_without_a_leader_is_named_and_the_rest_is_told(settings: Settings, three: KafkaCluster) -> None:
    """Catches: "no broker can be reached", after most of a minute, when two of three answer."""
    single = settings.model_copy(update={"topic_prefix": "single-", "app_id": "single"})
    await create(single, partitions=1, replication=1)
    leader = three.broker(await leader_of(single))
    await asyncio.to_thread(leader.kill)
    async with asyncio.timeout(3 * ENDS_WITHIN_S):
        while await leader_of(single) >= 0:
            pass
    began = time.monotonic()
    found = await check_group(single)
    assert time.monotonic() - began < ENDS_WITHIN_S
    assert "single: no worker" in found.summary
    (what,) = (finding.what for finding in found.findings)
    assert "single-buyer-messages/0" in what
    assert "there is no leader" in what
    await asyncio.to_thread(leader.start)
    await asyncio.to_thread(three.wait_until_in_sync)


async def leader_of(settings: Settings) -> int:
    """Of the only partition of buyer-messages; -1: none."""
    async with administration(settings.kafka_client_kwargs()) as admin:
        (topic,) = (each for each in await admin.describe_topics() if each["topic"] == settings.topic("buyer-messages"))
    return int(topic["partitions"][0]["leader"])


async def test_what_nobody_takes_any_more_ends_in_words(
    settings: Settings, three: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test here: the brokers are gone after it.

    Catches: a producer that waits for ever for brokers that went, be it while it sends or while it stops.
    """
    monkeypatch.setattr(kafka_clients, "ACKNOWLEDGED_WITHIN_S", 2.0)
    records = list(simulate(SimulationOptions(shops=1, buyers=20, rate=1, hours=0.1, replies="sticky")))

    async def send_twice() -> None:
        async with publisher(settings) as to_topics:
            await to_topics.send(records)
            for broker in three.brokers:
                broker.kill()
            await to_topics.send(records)

    began = time.monotonic()
    with pytest.raises(BrokerUnreachableError):
        await send_twice()
    assert time.monotonic() - began < ENDS_WITHIN_S
