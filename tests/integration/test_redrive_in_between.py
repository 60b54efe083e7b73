"""Sending dead letters back while others write to the same topic."""

import asyncio
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streams.redrive.letters import Selection
from streams.redrive.run import redrive, send_back
from streams.settings import Settings
from tests.integration.running import WITHIN_S
from tests.integration.test_dead_letters import arrived, by_shop, messages, refuse

pytestmark = pytest.mark.broker

WAITS_S = 2.0
"""Sending back what is there takes a fraction of it."""


async def test_a_marker_that_an_open_transaction_hides_is_waited_for(cluster_settings: Settings) -> None:
    """Brokers show nothing that comes after the first record of an open transaction, a worker's say."""
    records = messages(6)
    await refuse(cluster_settings, records)
    letters = cluster_settings.topic("dead-letters")
    async with AIOKafkaProducer(
        **cluster_settings.kafka_client_kwargs(), transactional_id=f"{cluster_settings.app_id}-9"
    ) as worker:
        await worker.begin_transaction()

        async def write_in_every_partition() -> None:
            for partition in await worker.partitions_for(letters):
                await worker.send_and_wait(letters, b"half", partition=partition)

        await _redrive_once_begun(cluster_settings, write_in_every_partition)
        again = asyncio.create_task(redrive(cluster_settings, Selection()))
        done, _ = await asyncio.wait([again], timeout=WAITS_S)
        assert not done
        await worker.abort_transaction()
        async with asyncio.timeout(WITHIN_S):
            assert (await again).sent == []
    assert await arrived(cluster_settings) == by_shop(records)


async def _redrive_once_begun(settings: Settings, what: Any) -> None:
    """Send everything back, and do something between reading the letters and sending them."""
    producer = AIOKafkaProducer(**settings.kafka_client_kwargs(), transactional_id=f"{settings.app_id}-redrive")

    class InBetween:
        """The producer, after whose begin something else happens."""

        def __getattr__(self, name: str) -> Any:
            return getattr(producer, name)

        async def begin_transaction(self) -> None:
            await producer.begin_transaction()
            await what()

    async with producer:
        outcome = await send_back(settings, Selection(), None, InBetween(), lambda _done, _of: None)
    assert len(outcome.sent) == 6


async def test_many_go_in_many_transactions_and_in_order(cluster_settings: Settings) -> None:
    records = messages(1000)
    for start in range(0, 1000, 250):
        await refuse(cluster_settings, records[start : start + 250])
    told: list[tuple[int, int]] = []
    started = time.monotonic()
    outcome = await redrive(cluster_settings, Selection(), progress=lambda done, of: told.append((done, of)))
    assert time.monotonic() - started < WITHIN_S
    assert len(outcome.sent) == 1000
    assert told == [(done, 1000) for done in (200, 400, 600, 800, 1000)]
    assert await arrived(cluster_settings) == by_shop(records)
