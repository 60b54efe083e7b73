"""The declared topics on a broker: made, found as declared, and every difference found before a worker starts."""

import asyncio

import pytest
from aiokafka.admin import NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.errors import ClusterError, UsageError
from streams.kafka_clients import administration, partition_counts
from streams.settings import Settings
from streams.topic_findings import Finding
from streams.topics import check_topics, create, declared, require_topics
from tests.integration.conftest import PARTITIONS

pytestmark = pytest.mark.broker


@pytest.fixture
def empty(environment: dict[str, str]) -> Settings:  # noqa: ARG001  it sets the variables
    """Settings whose topics do not exist yet."""
    return Settings.load()


async def make(settings: Settings, name: str, *, partitions: int = PARTITIONS, **configs: str) -> None:
    """Create a topic as somebody else would."""
    async with administration(settings.kafka_client_kwargs()) as admin:
        answer = await admin.create_topics([NewTopic(settings.topic(name), partitions, 1, topic_configs=configs)])
        assert answer.topic_errors[0][1] == 0, answer
    async with asyncio.timeout(20):
        while settings.topic(name) not in await partition_counts(settings.kafka_client_kwargs()):
            pass  # a broker may know a little later


async def only(settings: Settings) -> Finding:
    (finding,) = await check_topics(settings)
    return finding


async def test_what_is_created_is_as_declared(empty: Settings) -> None:
    done = await create(empty, partitions=3, replication=1)
    assert done.created == {topic.name: 3 for topic in declared(empty)}
    assert done.existing == {}
    assert await check_topics(empty) == []
    await require_topics(empty)


async def test_creating_twice_changes_nothing(cluster_settings: Settings) -> None:
    done = await create(cluster_settings, replication=1)
    assert done.created == {}
    assert set(done.existing.values()) == {PARTITIONS}


async def test_what_is_missing_is_created_like_what_is_there(empty: Settings) -> None:
    await make(empty, "buyer-messages", partitions=5, **{"cleanup.policy": "delete"})
    done = await create(empty, replication=1)
    assert set(done.created.values()) == {5}
    assert done.existing == {empty.topic("buyer-messages"): 5}


async def test_other_partitions_than_those_that_are_there_are_refused(empty: Settings) -> None:
    await make(empty, "buyer-messages", partitions=5)
    with pytest.raises(UsageError, match=r"is there with 5 partitions(.|\n)*fenliu topics create --partitions 5"):
        await create(empty, partitions=6, replication=1)
    assert len(await check_topics(empty)) >= len(declared(empty)) - 1


async def test_more_copies_than_brokers_are_refused_with_the_command_that_works(empty: Settings) -> None:
    with pytest.raises(ClusterError, match=r"3 copies (.|\n)*fenliu topics create --replication 1"):
        await create(empty)


async def test_a_check_creates_nothing(empty: Settings) -> None:
    before = await check_topics(empty)
    assert {finding.kind for finding in before} == {"missing"}
    assert len(before) == len(declared(empty))
    assert await check_topics(empty) == before


async def test_a_worker_does_not_start_without_topics_and_says_how_to_make_them(empty: Settings) -> None:
    with pytest.raises(ClusterError, match="fenliu topics create --replication 1"):
        await require_topics(empty)


async def test_a_topic_that_the_broker_made_by_itself_is_found(empty: Settings) -> None:
    await make(empty, "agent-status")
    await create(empty, partitions=PARTITIONS, replication=1)
    findings = [finding for finding in await check_topics(empty) if finding.severity == "error"]
    assert [(finding.kind, finding.topic) for finding in findings] == [("auto_created", empty.topic("agent-status"))]


async def test_an_input_of_other_partitions_is_found(cluster_settings: Settings) -> None:
    name = cluster_settings.topic("agent-replies")
    async with administration(cluster_settings.kafka_client_kwargs()) as admin:
        await admin.create_partitions({name: NewPartitions(PARTITIONS + 1)})
    async with asyncio.timeout(20):
        while not await check_topics(cluster_settings):
            pass  # a broker may know a little later
    finding = await only(cluster_settings)
    assert (finding.kind, finding.topic) == ("partitions", name)


async def test_another_cleanup_policy_is_found(cluster_settings: Settings) -> None:
    name = cluster_settings.topic("shop-configs")
    async with administration(cluster_settings.kafka_client_kwargs()) as admin:
        configs = {"cleanup.policy": "delete", "max.message.bytes": str(4 << 20)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=configs)])
    async with asyncio.timeout(20):
        while "cleanup_policy" not in {finding.kind for finding in await check_topics(cluster_settings)}:
            pass  # a broker may know a little later
    with pytest.raises(ClusterError, match=r"cleanup\.policy is delete, and must be compact"):
        await require_topics(cluster_settings)
