"""How late timers fire while other shops of the partition write (O1): from the deadline to the committed `offline`."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.settings import Settings
from tests.bench.brokers import ground
from tests.bench.harness import BenchResult, Effort, Figure, Goal
from tests.faults.run import start_run
from tests.integration.traffic import config, message, status

QUIET, BUSY = "quiet", "busy"
RATES = (0, 5, 50, 1000)
AGENTS, QUICK_AGENTS = 100, 5
APART_MS = 100
LAG_S = 3
WITHIN_S = 120.0


def run(effort: Effort) -> BenchResult:
    """The same agents leave under each rate of foreign messages."""
    delays = {rate: asyncio.run(_delays_s(rate, QUICK_AGENTS if effort.quick else AGENTS)) for rate in RATES}
    goal = Goal(2.0, at_least=False)
    figures = []
    for rate, each in delays.items():
        figures.append(Figure(f"{rate} messages/s of another shop: longest delay", "seconds", [max(each)], goal))
        figures.append(Figure(f"{rate} messages/s of another shop: median delay", "seconds", [statistics.median(each)]))
    return BenchResult("timers", "Timers of a quiet shop, from the deadline to the committed `offline`", figures)


async def _delays_s(rate: int, agents: int) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="fenliu-bench-") as directory:
        async with ground() as here, start_run(here.servers, Path(directory), partitions=1) as bench:
            (worker,) = bench.workers(1)
            worker.start()
            kafka = bench.settings.kafka_client_kwargs()
            async with AIOKafkaProducer(**kafka) as producer, _foreign(bench.settings, producer, rate):
                await _come(bench.settings, producer, agents)
                routed = bench.commits
                await routed.until(lambda: routed.total > agents, within_s=WITHIN_S, what=lambda: "who came online")
                await _leave(bench.settings, producer, agents)
                delays = await _found_offline(bench.settings, agents)
            await bench.stop()
            return delays


@asynccontextmanager
async def _foreign(settings: Settings, producer: AIOKafkaProducer, rate: int) -> AsyncIterator[None]:
    """Another shop of the partition writes so many messages a second."""

    async def write() -> None:
        number, due_at = 0, time.monotonic()
        while rate:
            said = message(BUSY, f"m{number}", _now_ms(), f"buyer-{number % 500}")
            await producer.send(settings.topic(said.topic), said.value, key=said.key)
            number, due_at = number + 1, due_at + 1 / rate
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _come(settings: Settings, producer: AIOKafkaProducer, agents: int) -> None:
    """All come online."""
    began_ms = _now_ms()
    here = [status(QUIET, f"agent-{number}", began_ms) for number in range(agents)]
    for each in (config(QUIET, began_ms, detection_lag_s={"min": LAG_S, "max": LAG_S}), *here):
        await producer.send_and_wait(settings.topic(each.topic), each.value, key=each.key)


async def _leave(settings: Settings, producer: AIOKafkaProducer, agents: int) -> None:
    """One after the other loses its connection, each told when it happens."""
    for number in range(agents):
        left = status(QUIET, f"agent-{number}", _now_ms(), "offline")
        await producer.send_and_wait(settings.topic(left.topic), left.value, key=left.key)
        await asyncio.sleep(APART_MS / 1000)


async def _found_offline(settings: Settings, agents: int) -> list[float]:
    """From each deadline to the broker's timestamp of the `offline` that was committed, in seconds."""
    delays: list[float] = []
    consumer = AIOKafkaConsumer(
        settings.topic("agent-presence"),
        **settings.kafka_client_kwargs(),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    async with consumer, asyncio.timeout(WITHIN_S):
        async for record in consumer:
            change = orjson.loads(record.value)
            if change["shop_id"] == QUIET and change["presence"] == "offline":
                delays.append((record.timestamp - change["at_ms"]) / 1000)
                if len(delays) == agents:
                    break
    return delays


def _now_ms() -> int:
    return int(time.time() * 1000)
