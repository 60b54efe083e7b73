"""How fast work advances on the broker, seen from outside: committed offsets of a group, or ends of a topic."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.settings import Settings
from tests.bench.processes import Program, cpu_s

EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """One look."""

    at_s: float
    events: int
    programs_cpu_s: float
    broker_cpu_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """What happened between two looks."""

    seconds: float
    events: int
    programs_cpu_s: float
    broker_cpu_s: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        """CPU seconds of the programs for a million events."""
        return self.programs_cpu_s / self.events * 1e6


Ask = Callable[[], Awaitable[int]]


@asynccontextmanager
async def committed(settings: Settings) -> AsyncIterator[Ask]:
    """How many records of all inputs the group has committed (there are no markers among the inputs of a bench)."""
    admin = AIOKafkaAdminClient(**settings.kafka_client_kwargs())
    await admin.start()

    async def ask() -> int:
        try:
            answer = await admin.list_consumer_group_offsets(settings.app_id)
        except KafkaError:  # the group's coordinator is on its way
            return 0
        return sum(max(0, told.offset) for told in answer.values())

    try:
        yield ask
    finally:
        await admin.close()


@asynccontextmanager
async def ends(servers: str, topic: str, partitions: int) -> AsyncIterator[Ask]:
    """How many records and markers a topic has, those of open transactions among them: all that was worked on."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    tps = [TopicPartition(topic, number) for number in range(partitions)]

    async def ask() -> int:
        return sum((await consumer.end_offsets(tps)).values())

    async with consumer:
        yield ask


async def watch(
    ask: Ask, total: int, programs: Sequence[Program], broker_pid: int, *, before: int = 0, within_s: float = 300.0
) -> list[Seen]:
    """Look until everything is done.

    Args:
        ask: how many events are done.
        total: how many there are.
        programs: whose CPU time counts; none of them may end.
        broker_pid: the broker's process.
        before: what `ask` told before the work began.
        within_s: raise after that.

    Returns:
        All looks from the first at which anything was done.
    """
    deadline = time.monotonic() + within_s
    looks: list[Seen] = []
    while not looks or looks[-1].events < total:
        seen = Seen(time.monotonic(), await ask() - before, sum(each.cpu_s() for each in programs), cpu_s(broker_pid))
        if seen.events:
            looks.append(seen)
        for program in programs:
            program.check_alive()
        if seen.at_s > deadline:
            tail = programs[0].log_tail() if programs else ""
            raise TimeoutError(f"{seen.events:,} of {total:,} events after {within_s:.0f} s:\n{tail}")
        await asyncio.sleep(EVERY_S)
    return looks


def window(looks: Sequence[Seen], *, begin: float = 0.0, end: float = 1.0) -> Window:
    """What happened between two shares of the work: 0.0 is the first look, 1.0 the last."""
    total = looks[-1].events
    first = next(seen for seen in looks if seen.events >= total * begin)
    last = next(seen for seen in looks if seen.events >= total * end and seen.events > first.events)
    return Window(
        last.at_s - first.at_s,
        last.events - first.events,
        last.programs_cpu_s - first.programs_cpu_s,
        last.broker_cpu_s - first.broker_cpu_s,
    )
