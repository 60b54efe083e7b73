"""Timers by the partition's watermark (O1): no traffic of other shops holds them up, and a backlog does."""

import asyncio
import itertools
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from streams.partitioner import partition_of
from streams.settings import Settings
from tests.integration.conftest import PARTITIONS
from tests.integration.running import Consumed, Worker, consume, produce, total
from tests.integration.traffic import config, message, status

pytestmark = pytest.mark.broker

QUIET = "shop-1"
NUMBER = partition_of(QUIET.encode(), PARTITIONS)
BUSY = next(shop for n in itertools.count() if partition_of((shop := f"busy-{n}").encode(), PARTITIONS) == NUMBER)
"""Another shop of the same partition."""

LAG_MS = 2000
STARVED_MS = 10_000
"""Far more than a timer may take (2 s, which the bench measures), and far less than it took when traffic held it up."""


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Worker:
    return Worker(environment, log=tmp_path / "worker.log")


@asynccontextmanager
async def chatter(settings: Settings, every_s: float) -> AsyncIterator[None]:
    """A shop that never falls silent: a message every so many seconds, until the block ends."""

    async def write() -> None:
        topic = settings.topic("buyer-messages")
        async with AIOKafkaProducer(**settings.kafka_client_kwargs()) as producer:
            for number in itertools.count():
                said = message(BUSY, f"m{number}", now_ms(), f"buyer-{number % 500}")
                await producer.send(topic, said.value, key=said.key)
                await asyncio.sleep(every_s)

    writing = asyncio.create_task(write())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.wait([writing])


def offline_after_ms(seen: Consumed) -> list[int]:
    """How long after its deadline each `offline` of the quiet shop was published, in ms."""
    records = [(each.timestamp, orjson.loads(each.value)) for each in seen["agent-presence"][NUMBER]]
    return [
        published_ms - change["at_ms"]
        for published_ms, change in records
        if change["shop_id"] == QUIET and change["presence"] == "offline"
    ]


@pytest.mark.parametrize("every_s", [0.2, 0.02, 0.001], ids=["5/s", "50/s", "1000/s"])
async def test_o1_a_quiet_shop_is_served_while_another_writes(
    cluster_settings: Settings, worker: Worker, every_s: float
) -> None:
    """L6, L7: found offline, and the stranded buyer rescued."""
    with worker:
        async with chatter(cluster_settings, every_s):
            await consume(cluster_settings, ["assignments"], lambda seen: total(seen) > 0, worker=worker)
            began = now_ms()
            await produce(
                cluster_settings,
                [
                    config(QUIET, began, detection_lag_s={"min": 2, "max": 2}, rescue="stranded"),
                    status(QUIET, "agent-1", began),
                    status(QUIET, "agent-1", began + 1, "offline"),
                    message(QUIET, "m1", began + 2),
                    status(QUIET, "agent-2", began + 3),
                ],
            )
            seen = await consume(
                cluster_settings, ["agent-presence"], lambda seen: len(offline_after_ms(seen)) == 1, worker=worker
            )
            await consume(cluster_settings, ["assignments"], is_rescued, worker=worker)
        assert worker.stop() == 0
    (after_ms,) = offline_after_ms(seen)
    assert 1000 <= after_ms < STARVED_MS


def is_rescued(seen: Consumed) -> bool:
    """Whether the stranded buyer of the quiet shop was routed again."""
    decided = [orjson.loads(each.value) for each in seen["assignments"][NUMBER]]
    return any(each["shop_id"] == QUIET and each["assignment_id"] == "m1#2" for each in decided)


async def test_o1_a_backlog_holds_timers(cluster_settings: Settings, worker: Worker) -> None:
    """A worker that stood still comes back: the agent's return lies in the backlog, and is applied before the timer."""
    began = now_ms()
    await produce(
        cluster_settings, [config(QUIET, began, detection_lag_s={"min": 1, "max": 1}), status(QUIET, "agent-1", began)]
    )
    with worker:
        await consume(cluster_settings, ["agent-presence"], lambda seen: total(seen) == 1, worker=worker)
        left = now_ms()
        await produce(cluster_settings, [status(QUIET, "agent-1", left, "offline")])
        await consume(cluster_settings, ["agent-presence"], lambda seen: total(seen) == 2, worker=worker)
        worker.signal(signal.SIGSTOP)
        filling = [message(BUSY, f"m{n}", left + 2, f"buyer-{n}") for n in range(3000)]
        await produce(cluster_settings, [*filling, status(QUIET, "agent-1", left + 900)])
        await asyncio.sleep((left + 4000 - now_ms()) / 1000)  # the deadline and the second after it are past
        worker.signal(signal.SIGCONT)
        seen = await consume(
            cluster_settings, ["agent-presence", "assignments"], lambda seen: total(seen) >= 3003, worker=worker
        )
        assert worker.stop() == 0
    presences = [orjson.loads(each.value)["presence"] for each in seen["agent-presence"][NUMBER]]
    assert presences == ["online", "undetected_offline", "online"]
