"""Changelogs that cannot be written to."""

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.errors import ExitCode
from streams.kafka_clients import administration
from streams.topics import declared
from tests.faults.run import Run
from tests.faults.traffic import future_traffic

pytestmark = pytest.mark.kafka


async def set_max_message_bytes(run: Run, topic: str, size: int | None) -> None:
    """Set a topic's bound; None: as it is declared."""
    configs = dict(next(each.configs for each in declared(run.settings) if each.name == topic))
    if size is not None:
        configs["max.message.bytes"] = str(size)
    configs["min.insync.replicas"] = "1"
    async with administration(run.settings.kafka_client_kwargs()) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)])


async def test_offsets_are_not_committed_when_the_changelog_takes_no_more(run: Run) -> None:
    """Kafka Streams, AtLeastOnceDeliveryMessageLossIntegrationTest: it once committed offsets whose state was refused.

    Catches: aiokafka commits a transaction although one of its batches was not delivered.
    """
    await run.backlog(future_traffic(8000, seed=41))
    worker = run.worker("worker", static=True, FENLIU_MIN_BATCH_INTERVAL_MS="60")
    worker.start()
    await run.commits.grown_by(3000)
    changelog = run.settings.changelog("last_contacts")
    worker.wanted = False
    await set_max_message_bytes(run, changelog, 300)
    assert await worker.ended() == ExitCode.CLUSTER, worker.log_tail()
    assert "a topic takes no records of this size" in worker.log()
    await set_max_message_bytes(run, changelog, None)
    worker.start()
    await run.verdict()
