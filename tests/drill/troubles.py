"""How things go wrong in the drills."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from streams.partitioner import partition_of
from tests.drill.runbook import run
from tests.drill.stage import AGENTS, PARTITIONS, SHOP, Stage, go_on, now_ms, stop
from tests.integration.running import Worker
from tests.integration.traffic import Record, status


def every_second_is_no_json(record: Record, number: int) -> Record:
    """A producer that breaks what it sends."""
    return record._replace(value=b"{") if number % 2 else record


def every_third_is_an_hour_off(by_ms: int) -> Callable[[Record, int], Record]:
    """A producer whose clock is wrong by so much."""

    def spoil(record: Record, number: int) -> Record:
        if number % 3 or record.value is None:
            return record
        event = orjson.loads(record.value)
        return record._replace(value=orjson.dumps(event | {"occurred_at_ms": event["occurred_at_ms"] + by_ms}))

    return spoil


@asynccontextmanager
async def _going_on(task: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Something goes on while the block runs."""
    running = asyncio.create_task(task)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            running.result()


@asynccontextmanager
async def pausing(worker: Worker, *, still_s: float, running_s: float) -> AsyncIterator[None]:
    """A worker that gets only a part of the time, as one whose container is throttled."""

    async def pause() -> None:
        while True:
            stop(worker)
            await asyncio.sleep(still_s)
            go_on(worker)
            await asyncio.sleep(running_s)

    try:
        async with _going_on(pause()):
            yield
    finally:
        go_on(worker)


@asynccontextmanager
async def coming_and_going(stage: Stage) -> AsyncIterator[None]:
    """A second worker that joins the group, leaves it, and comes again."""

    async def come_and_go() -> None:
        worker = stage.worker(1)
        joined = f'sum(fenliu_partitions{{instance="{stage.address(1)}"}}) > 0'
        while True:
            await stage.holds(joined)
            await asyncio.to_thread(worker.stop)
            worker.start()

    async with _going_on(come_and_go()):
        yield


@asynccontextmanager
async def agents_going_before_open_transactions(stage: Stage, *, open_s: float) -> AsyncIterator[None]:
    """Some agents lose their connections; then a producer of agent-status leaves a transaction open; and again."""
    topic, partition = stage.settings.topic("agent-status"), partition_of(SHOP.encode(), PARTITIONS)

    async def go() -> None:
        producer = AIOKafkaProducer(**stage.settings.kafka_client_kwargs(), transactional_id=f"{topic}-slow")
        async with producer:
            while True:
                gone = [f"agent-{number}" for number in range(10, 20)]
                await stage.publish([status(SHOP, agent, now_ms()) for agent in gone])
                await stage.publish([status(SHOP, agent, now_ms(), "offline") for agent in gone])
                async with producer.transaction():
                    value = status(SHOP, AGENTS[0], now_ms()).value
                    await producer.send_and_wait(topic, value, key=SHOP.encode(), partition=partition)
                    await asyncio.sleep(open_s)

    async with _going_on(go()):
        yield


async def done(stage: Stage, line: str) -> None:
    """Run a command that is no runbook's."""
    ran = await run(line, stage.programs, stage.environment, frozenset())
    assert ran.right, ran.output
