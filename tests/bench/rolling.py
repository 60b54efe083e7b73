"""A rolling restart of three workers under load: each partition's longest pause, with and without static membership.

A pause is a time without a commit, seen from outside, while records arrive all the time: ours and the
group's. Each worker gets SIGTERM, ends, and is started again by a supervisor; the next one follows when it has
partitions again.
"""

import asyncio
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from streams.settings import Settings
from streams.simulate.publisher import publisher
from streams.simulate.record import Record
from tests.bench import backlog
from tests.bench.brokers import SESSION_TIMEOUT_S, ground
from tests.bench.harness import BenchResult, Effort, Figure, Goal
from tests.bench.takeover import metric
from tests.faults.run import Run, start_run
from tests.faults.workers import Worker

WORKERS = 3
PARTITIONS = 12
SHOPS = 256
RATE = 600
BATCH_S = 0.05
STEADY_S, QUICK_STEADY_S = 5.0, 1.0
WITHIN_S = 60.0
REPEATS = 2


def run(effort: Effort) -> BenchResult:
    """Both kinds of membership, by turns."""
    return asyncio.run(_run(effort))


async def _run(effort: Effort) -> BenchResult:
    pauses: dict[bool, list[list[float]]] = {False: [], True: []}
    steady_s = QUICK_STEADY_S if effort.quick else STEADY_S
    for _ in range(1 if effort.quick else REPEATS):
        for static in (False, True):
            pauses[static].append(await _restart_all(steady_s, static=static))
    goal = Goal(10.0, at_least=False)
    figures = []
    for static, runs in pauses.items():
        what = "static membership" if static else "without static membership"
        figures.append(Figure(f"{what}: longest pause of any partition", "seconds", [max(each) for each in runs], goal))
        medians = [statistics.median(each) for each in runs]
        figures.append(Figure(f"{what}: longest pause of the median partition", "seconds", medians))
    title = f"Rolling restart of {WORKERS} workers, {PARTITIONS} partitions, {RATE} records/s, "
    return BenchResult("rolling", f"{title}session timeout {SESSION_TIMEOUT_S} s", figures)


async def _restart_all(steady_s: float, *, static: bool) -> list[float]:
    """The longest pause of each partition."""
    with tempfile.TemporaryDirectory(prefix="fenliu-bench-") as directory:
        async with ground() as here, start_run(here.servers, Path(directory), partitions=PARTITIONS) as bench:
            workers = bench.workers(WORKERS, static=static)
            for worker in workers:
                worker.start()
            async with _load(bench.settings, backlog.mixed_records(SHOPS, 1_000_000)):
                for worker in workers:
                    await _routing(worker)
                await bench.commits.grown_by(int(RATE * steady_s))
                bench.commits.longest_pause_s.clear()
                for worker in workers:
                    await _restart(bench, worker)
                    await bench.commits.grown_by(int(RATE * steady_s))
                assert len(bench.commits.longest_pause_s) == PARTITIONS, "some partition had no commit at all"
                bench.supervisor.check()
            await bench.stop()
            return list(bench.commits.longest_pause_s.values())


async def _restart(bench: Run, worker: Worker) -> None:
    starts = worker.starts
    worker.signal(signal.SIGTERM)
    await worker.started_again(starts)
    await _routing(worker)
    bench.supervisor.check()


async def _routing(worker: Worker) -> None:
    """Wait until a worker has partitions and has restored them."""
    deadline = time.monotonic() + WITHIN_S
    port = int(worker.environment["FENLIU_HTTP_PORT"])
    while True:
        restored = await metric(port, "fenliu_restore_seconds_count")
        if restored and restored >= await metric(port, "fenliu_partitions"):
            return
        assert time.monotonic() < deadline, worker.log_tail()
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _load(settings: Settings, records: Iterable[Record]) -> AsyncIterator[None]:
    """Send at a steady rate, all partitions alike, until the block ends."""
    left = iter(records)

    async def go_on() -> None:
        async with publisher(settings) as out:
            due_at, size = time.monotonic(), int(RATE * BATCH_S)
            while True:
                await out.send([next(left) for _ in range(size)])
                due_at += BATCH_S
                await asyncio.sleep(max(0.0, due_at - time.monotonic()))

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
