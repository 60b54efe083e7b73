"""From produce to a read_committed read, at fixed rates: the worker with all rules, beside Kafka Streams' small job.

Open loop: every send has its time before the run begins, and latency counts from that time, whatever the system under
test, or the sender, was busy with then. So a pause is seen by all that was to be sent in it, not by one request alone
(coordinated omission). A sender that falls behind makes the figures worse, never better.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.partitioner import partition_of
from streams.settings import Settings
from streams.simulate.record import Record
from tests.bench import backlog, java
from tests.bench.brokers import Ground, ground
from tests.bench.harness import BenchResult, Effort, Figure, Goal
from tests.bench.peers import create_topic

PARTITIONS = 4
SHOPS = 64
RATES = (100, 1_000, 3_000)
COMMITS_MS = (10, 100)
SECONDS, QUICK_SECONDS = 10, 4
WARM_UP_S = 5
BROKER_WARM_UP_S, QUICK_BROKER_WARM_UP_S = 45, 3
"""A broker that has just started compiles itself for most of a minute, at the cost of whoever comes first."""
TICK_S = 0.001
ANSWER_WITHIN_S = 30.0
GOAL_RATE, GOAL_MS = 1_000, 50.0


@dataclass(slots=True)
class Road:
    """Where records go and where their answers come from."""

    name: str
    topic_of: Callable[[Record], str]
    answers: str


@dataclass(slots=True)
class Percentiles:
    """Of one run, in ms."""

    p50: float
    p99: float
    p999: float


def run(effort: Effort) -> BenchResult:
    """Each system at each rate."""
    return asyncio.run(_run(effort))


async def _run(effort: Effort) -> BenchResult:
    seconds = QUICK_SECONDS if effort.quick else SECONDS
    repeats = effort.few if effort.quick else 2
    events = sum(RATES) * (seconds + WARM_UP_S) * repeats
    records = list(backlog.mixed_records(SHOPS, events + 1000))
    found: dict[tuple[str, int], list[Percentiles]] = {}
    async with ground() as here:
        await _warm_up(here, QUICK_BROKER_WARM_UP_S if effort.quick else BROKER_WARM_UP_S)
        settings = await here.settings(partitions=PARTITIONS)
        for system in ("fenliu", *(COMMITS_MS if java.javac_missing() is None else ())):
            road = await _worker(here, settings) if system == "fenliu" else await _streams(here, int(system))
            left = iter(records)
            async with _Load(here.servers, road) as load:
                await load.warm_up(left)
                for rate in RATES * repeats:
                    measured = await load.measure(left, rate, seconds)
                    found.setdefault((road.name, rate), []).append(measured)
            await here.stop()
    figures = []
    for rate in RATES:
        for (name, at), runs in found.items():
            if at == rate:
                figures += _figures(f"{name}, {rate:,} records/s", runs, goal=name == "fenliu" and rate == GOAL_RATE)
    return BenchResult("latency", f"From produce to a read_committed read, {PARTITIONS} partitions", figures)


async def _warm_up(here: Ground, seconds: int) -> None:
    """Work on topics of their own that counts nowhere."""
    rate = RATES[1]
    records = backlog.mixed_records(SHOPS, rate * (seconds + WARM_UP_S) + 1000)
    road = await _worker(here, await here.settings(partitions=PARTITIONS, prefix="warm-up-"))
    async with _Load(here.servers, road) as load:
        await load.warm_up(records)
        await load.measure(records, rate, seconds)
    await here.stop()


def _figures(what: str, runs: Sequence[Percentiles], *, goal: bool) -> list[Figure]:
    limit = Goal(GOAL_MS, at_least=False) if goal else None
    return [
        Figure(f"{what}: p50", "ms", [each.p50 for each in runs]),
        Figure(f"{what}: p99", "ms", [each.p99 for each in runs], limit),
        Figure(f"{what}: p99.9", "ms", [each.p999 for each in runs]),
    ]


async def _worker(here: Ground, settings: Settings) -> Road:
    here.worker(settings)
    return Road("fenliu", lambda record: settings.topic(record.topic), settings.topic("assignments"))


async def _streams(here: Ground, commit_ms: int) -> Road:
    app = here.unique("streams")
    for name in (f"{app}-in", f"{app}-out"):
        await create_topic(here.servers, name, PARTITIONS)
    here.program(
        java.count_per_shop(),
        SERVERS=here.servers,
        APP=app,
        IN=f"{app}-in",
        OUT=f"{app}-out",
        GUARANTEE="exactly_once_v2",
        STORE="memory",
        COMMIT_MS=str(commit_ms),
        STATE_DIR=str(here.directory / app),
    )
    return Road(f"Kafka Streams EOS v2, {commit_ms} ms commits", lambda _: f"{app}-in", f"{app}-out")


class _Load:
    """A sender and a reader on their own connections."""

    def __init__(self, servers: str, road: Road) -> None:
        self._road = road
        self._producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=0)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=servers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="latest",
        )
        self._due: dict[tuple[bytes, str], float] = {}
        """When each unanswered message was to be sent, by shop and id."""
        self._latencies_s: list[float] = []

    async def __aenter__(self) -> "_Load":
        await self._producer.start()
        await self._consumer.start()
        tps = [TopicPartition(self._road.answers, number) for number in range(PARTITIONS)]
        self._consumer.assign(tps)
        for tp, end in (await self._consumer.end_offsets(tps)).items():
            self._consumer.seek(tp, end)
        self._reading = asyncio.create_task(self._read(), name="read answers")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._producer.stop()
        await self._consumer.stop()

    async def warm_up(self, records: Iterator[Record]) -> None:
        """The shops open; then wait until the first message is answered."""
        await self._pace(records, 1_000, WARM_UP_S)
        await self._all_answered()

    async def measure(self, records: Iterator[Record], rate: int, seconds: float) -> Percentiles:
        """Send at a rate, and see when the answers come."""
        self._latencies_s = []
        await self._pace(records, rate, seconds)
        await self._all_answered()
        found = self._latencies_s
        cuts = statistics.quantiles(found, n=1000, method="inclusive")
        return Percentiles(*(1000 * cuts[place - 1] for place in (500, 990, 999)))

    async def _pace(self, records: Iterator[Record], rate: int, seconds: float) -> None:
        began, count = time.perf_counter() + 0.1, int(rate * seconds)
        sent = 0
        while sent < count:
            await asyncio.sleep(max(TICK_S, began + sent / rate - time.perf_counter()))
            now = time.perf_counter()
            while sent < count and began + sent / rate <= now:
                await self._send(next(records), began + sent / rate)
                sent += 1

    async def _send(self, record: Record, due: float) -> None:
        if record.topic == "buyer-messages":
            assert record.value is not None
            place = record.key, orjson.loads(record.value)["event_id"]
            assert place not in self._due, f"two messages are {place}"
            self._due[place] = due
        partition = partition_of(record.key, PARTITIONS)
        await self._producer.send(self._road.topic_of(record), record.value, key=record.key, partition=partition)

    async def _all_answered(self) -> None:
        deadline = time.perf_counter() + ANSWER_WITHIN_S
        while self._due:
            await asyncio.sleep(0.05)
            assert time.perf_counter() < deadline, f"{self._road.name}: {len(self._due)} messages without an answer"

    async def _read(self) -> None:
        async for record in self._consumer:
            due = self._due.pop((record.key, orjson.loads(record.value).get("message_id")), None)
            if due is not None:
                self._latencies_s.append(time.perf_counter() - due)
