"""Workers as processes of their own, and producers and consumers as users have them. Nothing here waits for a time."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.settings import Settings
from tests.integration.traffic import Record

WITHIN_S = 60.0
"""For anything that a worker does; on a busy machine of two cores starting alone takes some seconds."""

REPOSITORY = Path(__file__).parents[2]
WORKER = ("-m", "streams", "worker")

Consumed = dict[str, dict[int, list[Any]]]
"""Records by topic (without prefix) and partition."""


class Worker:
    """A worker process; at the end of the `with` block it is gone, however it was."""

    def __init__(self, environment: dict[str, str], *arguments: str, log: Path) -> None:
        self._environment = {**os.environ, **environment}
        self._arguments = arguments or WORKER
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, again if it has ended."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments],
                env=self._environment,
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._process is not None
        return self._process

    def signal(self, what: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(what)

    def wait(self, within_s: float = WITHIN_S) -> int:
        """Its exit code; minus the signal if one killed it."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the worker did not end within {within_s} s:\n{self.log()}") from None

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and wait for its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def log(self) -> str:
        """What it wrote on standard error, over all its starts."""
        return self._log.read_text(encoding="utf-8")

    def check_alive(self) -> None:
        """Fail with its log if it ended by itself."""
        code = self.process.poll()
        assert code is None, f"the worker ended with {code}:\n{self.log()}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.kill()


async def produce(settings: Settings, records: Iterable[Record], *, partition: int | None = None) -> None:
    """Publish records in order, and wait until the broker has them all."""
    async with AIOKafkaProducer(**settings.kafka_client_kwargs(), linger_ms=5, max_request_size=4 << 20) as producer:
        deliveries = [
            await producer.send(settings.topic(each.topic), each.value, key=each.key, partition=partition)
            for each in records
        ]
        await asyncio.gather(*deliveries)


async def consume(
    settings: Settings,
    topics: Iterable[str],
    until: Callable[[Consumed], bool],
    *,
    worker: Worker | None = None,
    within_s: float = WITHIN_S,
) -> Consumed:
    """Read what is committed until a condition holds; fail if it does not in time.

    Each look begins at the oldest record and takes all in one fetch: the embedded broker still names a transaction that
    was aborted when asked for what comes after it, and clients then leave out what the same producer committed since.
    """
    names = {settings.topic(topic): topic for topic in topics}
    deadline = time.monotonic() + within_s
    consumer = AIOKafkaConsumer(
        **settings.kafka_client_kwargs(),
        isolation_level="read_committed",
        max_partition_fetch_bytes=32 << 20,
        auto_offset_reset="earliest",
    )
    async with consumer:
        consumer.assign([TopicPartition(name, number) for name in names for number in await _numbers(consumer, name)])
        while True:
            consumed = await _all_of(consumer, names)
            if until(consumed):
                return consumed
            assert time.monotonic() < deadline, (
                f"not within {within_s} s; there are {total(consumed)} records\n{worker.log() if worker else ''}"
            )
            if worker is not None:
                worker.check_alive()
            await consumer.getmany(timeout_ms=300)  # returns when there is more


async def _numbers(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client.add_topic(topic)
    numbers: set[int] = consumer.partitions_for_topic(topic) or set()
    return numbers


async def _all_of(consumer: AIOKafkaConsumer, names: dict[str, str]) -> Consumed:
    consumed: Consumed = {topic: defaultdict(list) for topic in names.values()}
    partitions = consumer.assignment()
    ends = await consumer.end_offsets(partitions)
    for tp in partitions:
        consumer.seek(tp, 0)
    while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
        for tp, records in (await consumer.getmany(timeout_ms=200)).items():
            consumed[names[tp.topic]][tp.partition] += records
    return consumed


def total(consumed: Consumed) -> int:
    """How many records there are."""
    return sum(len(records) for partitions in consumed.values() for records in partitions.values())


def values(consumed: Consumed, topic: str) -> dict[int, list[bytes]]:
    """The values of a topic by partition, in order."""
    return {partition: [each.value for each in records] for partition, records in sorted(consumed[topic].items())}
