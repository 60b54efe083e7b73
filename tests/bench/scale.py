"""More workers, more partitions, and what a partition costs that has nothing to do."""

import asyncio
import time

from streams.simulate.publisher import publisher
from tests.bench import backlog
from tests.bench.brokers import Ground, ground
from tests.bench.harness import BenchResult, Effort, Figure
from tests.bench.processes import cpu_s
from tests.bench.progress import committed, watch
from tests.bench.takeover import member

WORKERS, PARTITIONS = (1, 2, 4), (4, 16, 64)
OF_WORKERS, OF_PARTITIONS = 16, 1
"""Partitions while the workers change, workers while the partitions change."""
SHOPS = 256
EVENTS, QUICK_EVENTS = 1_000_000, 60_000
IDLE_S, QUICK_IDLE_S = 10.0, 2.0
LOOK_EVERY_S = 0.05


def run(effort: Effort) -> BenchResult:
    """Each once: what counts is how they compare."""
    return asyncio.run(_run(effort))


async def _run(effort: Effort) -> BenchResult:
    events = QUICK_EVENTS if effort.quick else EVENTS
    records = list(backlog.mixed_records(SHOPS, events))
    figures = []
    idle: dict[int, tuple[float, float]] = {}
    async with ground() as here:
        for partitions in PARTITIONS:
            idle[partitions] = await _idle(here, partitions, QUICK_IDLE_S if effort.quick else IDLE_S)
        for partitions in PARTITIONS:
            settings = await here.settings(partitions=partitions, prefix=f"of{partitions}-")
            async with publisher(settings) as out:
                await out.publish(records)
            if partitions == PARTITIONS[0]:
                await _rate(here, partitions, OF_PARTITIONS, events)  # warms the broker up
            for workers in WORKERS if partitions == OF_WORKERS else (OF_PARTITIONS,):
                what = f"{workers} worker{'s' * (workers > 1)}, {partitions} partitions"
                figures.append(Figure(what, "events/s", [await _rate(here, partitions, workers, events)]))
    for partitions, (worker, broker) in idle.items():
        figures.append(Figure(f"idle worker, {partitions} partitions", "ms of CPU a second", [worker]))
        figures.append(Figure(f"its broker, {partitions} partitions", "ms of CPU a second", [broker]))
    few, many = PARTITIONS[0], PARTITIONS[-1]
    each = [(after - before) / (many - few) for before, after in zip(idle[few], idle[many], strict=True)]
    figures.append(Figure("each idle partition more, worker", "ms of CPU a second", each[:1]))
    figures.append(Figure("each idle partition more, broker", "ms of CPU a second", each[1:]))
    return BenchResult("scale", f"Workers and partitions, {events:,} mixed events", figures)


async def _rate(here: Ground, partitions: int, workers: int, events: int) -> float:
    """From the moment at which all partitions are taken over: the buffers fill and run empty within what is timed."""
    settings = await here.settings(partitions=partitions, prefix=f"of{partitions}-")
    members = [member(here, settings) for _ in range(workers)]
    programs = [each.program for each in members]
    async with committed(settings) as ask:
        while sum([await each.metric("fenliu_restore_seconds_count") for each in members]) < partitions:
            for program in programs:
                program.check_alive()
            await asyncio.sleep(LOOK_EVERY_S)
        began_at, before = time.monotonic(), await ask()
        looks = await watch(ask, events, programs, here.broker_pid)
    await here.stop()
    return (events - before) / (looks[-1].at_s - began_at)


async def _idle(here: Ground, partitions: int, seconds: float) -> tuple[float, float]:
    settings = await here.settings(partitions=partitions, prefix=f"idle{partitions}-")
    worker = member(here, settings)
    while await worker.metric("fenliu_restore_seconds_count") < partitions:
        worker.program.check_alive()
        await asyncio.sleep(0.2)
    await asyncio.sleep(2.0)  # what the take-over leaves to do
    before = worker.program.cpu_s(), cpu_s(here.broker_pid)
    await asyncio.sleep(seconds)
    after = worker.program.cpu_s(), cpu_s(here.broker_pid)
    await here.stop()
    return (after[0] - before[0]) / seconds * 1000, (after[1] - before[1]) / seconds * 1000
