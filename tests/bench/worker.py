"""The worker on Apache Kafka: all rules on, exactly once, a backlog of mixed events. How fast, at what cost, and where.

Seen from outside, by the offsets that the group has committed. Before its first commit a worker reads and decodes what
its buffers hold, and at the end they run empty: so the first figure, over everything, flatters, and the one between a
tenth and four fifths, while they are full, is the one that counts. The stages are measured in runs of
their own, so that the clock at the seams slows down none that counts.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from streams.simulate.publisher import publisher
from tests import compiled
from tests.bench import backlog, timed_worker
from tests.bench.brokers import Ground, ground
from tests.bench.harness import BenchResult, Effort, Figure, Goal
from tests.bench.progress import Seen, Window, committed, watch, window

PARTITIONS = 16
SHOPS = 64
EVENTS = 1_000_000
QUICK_EVENTS = 150_000
GOAL = Goal(40_000, at_least=True)


def run(effort: Effort) -> BenchResult:
    """Publish once, route several times, each time as a new app."""
    return asyncio.run(_run(effort))


async def _run(effort: Effort) -> BenchResult:
    events = QUICK_EVENTS if effort.quick else EVENTS
    async with ground() as here:
        settings = await here.settings(partitions=PARTITIONS)
        async with publisher(settings) as out:
            await out.publish(backlog.mixed_records(SHOPS, events))
        await _route(here, QUICK_EVENTS)  # warms the broker up
        runs = [(await _route(here, events))[0] for _ in range(effort.few)]
        profiles = [(await _route(here, events, timed=True))[1] for _ in range(effort.few)]
        fast = await asyncio.to_thread(_compiled)
        fast_runs = [(await _route(here, events, environment=fast))[0] for _ in range(effort.few)] if fast else []
    fast_windows = [window(looks, begin=0.1, end=0.8) for looks in fast_runs]
    wholes, windows = [window(looks) for looks in runs], [window(looks, begin=0.1, end=0.8) for looks in runs]
    return BenchResult(
        "worker",
        f"The worker, {events:,} mixed events, {PARTITIONS} partitions",
        [
            Figure("from the first commit to the last", "events/s", [each.rate for each in wholes]),
            Figure("between a tenth and four fifths of the events", "events/s", [each.rate for each in windows], GOAL),
            Figure("worker", "CPU seconds a million events", [each.cpu_s_per_million for each in windows]),
            Figure(
                "broker", "CPU seconds a million events", [each.broker_cpu_s / each.events * 1e6 for each in windows]
            ),
            *(
                Figure(
                    f"stage: {STAGES[stage]}",
                    "CPU seconds a million events",
                    [p[stage] / events * 1e6 for p in profiles],
                )
                for stage in profiles[0]
            ),
            *_of_the_compiled_core(fast_windows),
        ],
    )


def _of_the_compiled_core(windows: list[Window]) -> list[Figure]:
    if not windows:
        return []
    of_events = "core compiled: between a tenth and four fifths of the events"
    return [
        Figure(of_events, "events/s", [each.rate for each in windows], GOAL),
        Figure("core compiled: worker", "CPU seconds a million events", [each.cpu_s_per_million for each in windows]),
    ]


def _compiled() -> dict[str, str]:
    """The variables with which a worker takes the compiled core; none without a C compiler."""
    if compiled.missing_tools():
        return {}
    return {"PYTHONPATH": str(compiled.compiled_checkout()), "PYTHONSAFEPATH": "1"}


STAGES = {
    "fetch": "fetch (the consumer's thread: protocol, records)",
    "decode": "decode and check",
    "order": "order (O2)",
    "decide": "decide (the router)",
    "encode": "encode decisions and changed keys",
    "transaction": "transaction: record batches, requests",
    "report": "metrics",
    "rest": "rest: aiokafka's protocol, event loop, Faust",
}


async def _route(
    here: Ground, events: int, *, timed: bool = False, environment: Mapping[str, str] | None = None
) -> tuple[list[Seen], dict[str, float]]:
    settings = await here.settings(partitions=PARTITIONS)
    file = Path(here.directory, here.unique("stages"))
    module = timed_worker.__name__ if timed else "streams"
    worker = here.worker(settings, module=module, **{timed_worker.VARIABLE: str(file)}, **(environment or {}))
    async with committed(settings) as ask:
        looks = await watch(ask, events, [worker], here.broker_pid)
    await here.stop()
    return looks, await asyncio.to_thread(_stages, file) if timed else {}


def _stages(file: Path) -> dict[str, float]:
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(figures, dict)
    return figures
