"""One run: topics of its own on a cluster, traffic, workers with a supervisor, a watch on the commits, the verdict."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from aiokafka import TopicPartition

from schemas.codec import RANK
from streams.settings import Settings
from streams.simulate.record import Record
from streams.topics import create
from tests.faults.commits import Commits
from tests.faults.feeder import feed_backlog, feed_live, feed_transactions
from tests.faults.oracle import Verdict, judge
from tests.faults.reading import read_topics
from tests.faults.traffic import MAX_CLOCK_SKEW_S
from tests.faults.workers import REPOSITORY, Supervisor, Worker

SESSION_TIMEOUT_S = 6
"""The least that brokers allow."""


class Said(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str


class Run:
    """What a test has in hand. Make one with `start_run`."""

    def __init__(self, settings: Settings, environment: dict[str, str], directory: Path, partitions: int) -> None:
        self.settings = settings
        self.partitions = partitions
        self.supervisor = Supervisor([])
        self.commits = Commits(settings, check=self.supervisor.check, every_s=0.02)
        self.fed: list[Record] = []
        self._environment = environment
        self._directory = directory

    def worker(self, name: str, *, static: bool = False, **environment: str) -> Worker:
        """One more worker, not started.

        Args:
            name: of its log.
            static: it has its name in the group too, so that it comes back to its partitions at once.
            environment: more of its FENLIU_* variables.
        """
        named = {"FENLIU_GROUP_INSTANCE_ID": name} if static else {}
        worker = Worker(name, {**self._environment, **named, **environment}, self._directory)
        self.supervisor.workers.append(worker)
        return worker

    def workers(self, count: int, *, static: bool = False, **environment: str) -> list[Worker]:
        """Some workers, not started."""
        return [self.worker(f"worker-{number}", static=static, **environment) for number in range(1, count + 1)]

    async def fenliu(self, *arguments: str, **environment: str) -> Said:
        """Run a command as an operator would, with the environment of the workers."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams", *arguments,
            env={**os.environ, **self._environment, **environment}, cwd=REPOSITORY, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        stdout, stderr = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, stdout.decode(), stderr.decode())

    async def backlog(self, records: Sequence[Record]) -> None:
        """Publish everything before workers are started."""
        await feed_backlog(self.settings, records)
        self.fed += records

    async def transactional_backlog(self, records: Sequence[Record]) -> None:
        """The same in transactions, half of them aborted."""
        await feed_transactions(self.settings, records, self.partitions)
        self.fed += records

    def live(self, records: Sequence[Record], *, within_s: float) -> "asyncio.Task[None]":
        """Publish while workers run; the task ends when all of it is routed.

        Args:
            records: in order of event time.
            within_s: how long one wave may take.
        """
        self.fed += records
        feeding = feed_live(self.settings, records, self.partitions, self.commits, within_s=within_s)
        return asyncio.create_task(feeding, name="feed live")

    async def ends(self) -> dict[TopicPartition, int]:
        """The offsets behind the last committed record of each input partition; those without any are left out."""
        names = [self.settings.topic(topic) for topic in RANK]
        return {
            TopicPartition(name, number): records[-1].offset + 1
            for name, log in (await read_topics(self.settings, names)).items()
            for number, records in log.items()
            if records
        }

    async def done(self, *, within_s: float = 120.0) -> None:
        """Wait until everything that was fed is routed and committed."""
        await self.commits.reached(await self.ends(), within_s=within_s)

    async def stop(self) -> None:
        """SIGTERM to all workers; each must end with 0."""
        running = [worker for worker in self.supervisor.workers if worker.running]
        codes = await asyncio.gather(*(worker.stop() for worker in running))
        assert not any(codes), f"{codes} of {[worker.name for worker in running]}: {running[0].log_tail()}"

    async def verdict(self, *, within_s: float = 120.0) -> Verdict:
        """Wait until all is routed, stop the workers and compare; raise if anything differs."""
        await self.done(within_s=within_s)
        await self.stop()
        return await self.judged()

    async def judged(self, *, strict: bool = True) -> Verdict:
        """Compare what is there now; raise if anything differs, or with `strict` off only say so."""
        self.supervisor.check()
        verdict = await judge(self.settings, self.fed, self.partitions)
        verdict.differences += self.commits.went_back
        return verdict.require() if strict else verdict


@asynccontextmanager
async def start_run(
    bootstrap_servers: str,
    directory: Path,
    *,
    partitions: int = 4,
    replication: int = 1,
    workers_servers: str | None = None,
    **environment: str,
) -> AsyncIterator[Run]:
    """Create topics, and at the end make sure that no worker is left.

    Args:
        bootstrap_servers: of the cluster.
        directory: for logs and data of the workers.
        partitions: of the inputs and outputs.
        replication: copies of each.
        workers_servers: where workers connect, if it is elsewhere (through a proxy).
        environment: more FENLIU_* variables of every worker.
    """
    unique = uuid.uuid4().hex[:8]
    common = {
        "FENLIU_TOPIC_PREFIX": f"f{unique}-",
        "FENLIU_APP_ID": f"app{unique}",
        "FENLIU_SESSION_TIMEOUT_S": str(SESSION_TIMEOUT_S),
        "FENLIU_MAX_CLOCK_SKEW_S": str(MAX_CLOCK_SKEW_S),
        "FENLIU_KAFKA_BOOTSTRAP_SERVERS": workers_servers or bootstrap_servers,
        **environment,
    }
    settings = Settings.load(
        kafka_bootstrap_servers=bootstrap_servers,
        topic_prefix=common["FENLIU_TOPIC_PREFIX"],
        app_id=common["FENLIU_APP_ID"],
        max_clock_skew_s=MAX_CLOCK_SKEW_S,
    )
    await create(settings, partitions=partitions, replication=replication)
    run = Run(settings, common, directory, partitions)
    tasks = [asyncio.create_task(run.supervisor.run()), asyncio.create_task(run.commits.run())]
    try:
        yield run
    except BaseException as exc:
        exc.add_note(_logs(run.supervisor.workers))
        raise
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        for worker in run.supervisor.workers:
            worker.end()


def _logs(workers: Iterable[Worker]) -> str:
    return "\n".join(
        f"--- {worker.name}, exits {[e.code for e in worker.exits]}:\n{worker.log_tail()}" for worker in workers
    )
