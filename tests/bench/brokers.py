"""Apache Kafka for one bench, and what a worker on it is told."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from streams.embedded import free_port
from streams.settings import Settings
from streams.topics import create
from tests.bench.processes import Program, python
from tests.kafka.cluster import KafkaCluster, start_cluster

PREFIX = "bench-"
SESSION_TIMEOUT_S = 6
"""The least that brokers allow."""


@dataclass(slots=True)
class Ground:
    """One broker, a directory for logs, and the programs that a bench runs there."""

    cluster: KafkaCluster
    directory: Path
    programs: list[Program] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def servers(self) -> str:
        """Where clients connect."""
        return self.cluster.bootstrap_servers

    @property
    def broker_pid(self) -> int:
        """The broker's process."""
        return self.cluster.brokers[0].pid

    def unique(self, name: str) -> str:
        """A name that nobody else has on this broker."""
        return f"{name}-{next(self._numbers)}"

    async def settings(self, *, partitions: int, prefix: str = PREFIX) -> Settings:
        """Settings of a new app, whose topics are created; with one prefix, apps read the same inputs."""
        settings = Settings.load(
            kafka_bootstrap_servers=self.servers,
            topic_prefix=prefix,
            app_id=self.unique("app"),
            session_timeout_s=SESSION_TIMEOUT_S,
        )
        await create(settings, partitions=partitions, replication=1)
        return settings

    def worker(self, settings: Settings, *, module: str = "streams", **environment: str) -> Program:
        """Start a worker: `fenliu worker`, or a module of the benches that does something besides."""
        command = [*python(module), *(["worker"] if module == "streams" else [])]
        return self.program(command, **{**worker_environment(settings, self.directory), **environment})

    def program(self, command: list[str], **environment: str) -> Program:
        """Start anything else."""
        program = Program(command, self.directory / f"{self.unique('program')}.log", environment)
        self.programs.append(program)
        return program

    async def stop(self) -> None:
        """Stop all programs, so that the next one has the machine for itself."""
        await asyncio.gather(*(program.stop() for program in self.programs))
        self.programs.clear()


def worker_environment(settings: Settings, directory: Path) -> dict[str, str]:
    """The variables of one worker process."""
    return {
        "FENLIU_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "FENLIU_TOPIC_PREFIX": settings.topic_prefix,
        "FENLIU_APP_ID": settings.app_id,
        "FENLIU_SESSION_TIMEOUT_S": str(settings.session_timeout_s),
        "FENLIU_HTTP_PORT": str(free_port()),
        "FENLIU_DATA_DIR": str(directory / "data"),
        "FENLIU_LOG_LEVEL": "info",
    }


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """A broker for the length of a bench; whatever was started on it is ended."""
    starting = start_cluster(java_options=())
    cluster = await asyncio.to_thread(starting.__enter__)
    try:
        with tempfile.TemporaryDirectory(prefix="fenliu-bench-") as directory:
            here = Ground(cluster, Path(directory))
            try:
                yield here
            finally:
                for program in here.programs:
                    program.kill()
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
