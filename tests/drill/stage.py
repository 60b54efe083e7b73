"""What a drill happens on: topics, a Prometheus with the faster rules, workers, traffic, and an account of it all."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import MappingProxyType

import click
import orjson
from aiokafka import AIOKafkaProducer

from streams.embedded import free_port
from streams.kafka_clients import acknowledged
from streams.settings import Settings
from streams.topics import create
from tests.drill.runbook import Placeholders, Ran, commands, run
from tests.integration.prometheus import Prometheus, faster
from tests.integration.running import Worker, consume
from tests.integration.traffic import Record, config, message, status
from tests.unit.deploy.places import Alert, alerts

PARTITIONS = 2
SHOP = "shop-1"
AGENTS = ("agent-1", "agent-2")
SEEN_WITHIN_S = 150.0
"""Until a condition is seen, an alert fires, or it ends: of the slowest drill with room for a busy machine."""
EVERY_S = 0.2
"""Between two handfuls of the traffic."""

SETTINGS = """\
- shop_id: shop-1
  agents: [{agent_id: agent-1}, {agent_id: agent-2}]
  robot_first: true
  robot_when_unattended: true
  robot_id: 店小蜜
  offline_diversion: true
  rescue: stranded
"""
"""What runbooks advise, as the FILE that they push."""

Spoil = Callable[[Record, int], Record]
"""Changes the record of a message, the how manieth is told, before it is published."""


class Stage:
    """One drill's own topics, workers and Prometheus. `stage()` makes one."""

    def __init__(self, alert: str, severity: str, settings: Settings, directory: Path, programs: Path) -> None:
        self.rules = [each for each in alerts() if each.name == alert]
        self.rule: Alert = next(each for each in self.rules if each.severity == severity)
        self.settings = settings
        self.directory = directory
        self.programs = programs
        self.workers: list[Worker] = []
        self.ran: list[Ran] = []
        self.sent: set[str] = set()
        """Ids of the messages that must be assigned, once each."""
        self.file = directory / "shops.yaml"
        self._ports = [free_port(), free_port()]
        self._ends = ExitStack()
        self._began = time.monotonic()
        self._numbers = iter(range(10_000_000))
        self.prometheus: Prometheus

    @property
    def environment(self) -> dict[str, str]:
        """The FENLIU_* variables of the workers and the commands."""
        return {
            "FENLIU_KAFKA_BOOTSTRAP_SERVERS": self.settings.kafka_bootstrap_servers,
            "FENLIU_APP_ID": self.settings.app_id,
            "FENLIU_TOPIC_PREFIX": self.settings.topic_prefix,
            "FENLIU_SESSION_TIMEOUT_S": "6",
        }

    def say(self, text: str) -> None:
        """A line of the account, with the seconds since the drill began."""
        click.echo(f"  {time.monotonic() - self._began:6.1f} s  {text}")

    # Workers

    def worker(self, number: int = 0, environment: Mapping[str, str] = MappingProxyType({})) -> Worker:
        """A worker that is started now, at the first place or the second; Prometheus watches it from now on."""
        worker = Worker(
            {
                **self.environment,
                "FENLIU_HTTP_PORT": str(self._ports[number]),
                "FENLIU_DATA_DIR": str(self.directory / f"data-{number}"),
                **environment,
            },
            log=self.directory / f"worker-{number}.log",
        )
        self._ends.enter_context(worker)
        self.workers.append(worker)
        self.prometheus.watch(self.address(number))
        return worker

    def address(self, number: int = 0) -> str:
        """host:port of a worker's pages."""
        return f"127.0.0.1:{self._ports[number]}"

    @contextmanager
    def watched(self, program: str) -> Iterator[None]:
        """Prometheus runs; at the end it and all workers are gone."""
        with self._ends, Prometheus(program, [], self.directory / "prometheus") as self.prometheus:
            yield

    # Records

    async def publish(self, records: Iterable[Record], *, partition: int | None = None) -> None:
        """Publish records, and remember the messages among them as such that must be assigned."""
        async with AIOKafkaProducer(**self.settings.kafka_client_kwargs()) as producer:
            await self._publish(producer, records, partition)

    async def _publish(self, producer: AIOKafkaProducer, records: Iterable[Record], partition: int | None) -> None:
        some = list(records)
        deliveries = [
            await producer.send(self.settings.topic(each.topic), each.value, key=each.key, partition=partition)
            for each in some
        ]
        await acknowledged(deliveries)
        self.sent |= {identity for each in some if (identity := _message_id(each)) is not None}

    async def open_shop(self, **settings: object) -> None:
        """The shop has its settings, and its agents come online."""
        now = now_ms()
        agents = [{"agent_id": agent} for agent in AGENTS]
        await self.publish([config(SHOP, now, agents=agents, **settings), *(status(SHOP, a, now) for a in AGENTS)])

    def messages(self, count: int, *, shop: str = SHOP, at_ms: int | None = None) -> list[Record]:
        """New messages, each of another buyer, of now."""
        numbers = [next(self._numbers) for _ in range(count)]
        return [message(shop, f"m-{number}", at_ms or now_ms(), f"b-{number}") for number in numbers]

    @asynccontextmanager
    async def traffic(self, a_second: int = 20, spoil: Spoil = lambda record, _: record) -> AsyncIterator[None]:
        """Messages come while the block runs."""
        enough = asyncio.Event()

        async def flow() -> None:
            count = 0
            async with AIOKafkaProducer(**self.settings.kafka_client_kwargs()) as producer:
                while not enough.is_set():
                    some = self.messages(max(1, round(a_second * EVERY_S)))
                    spoilt = [spoil(each, count + number) for number, each in enumerate(some)]
                    count += len(some)
                    await self._publish(producer, spoilt, None)
                    await asyncio.sleep(EVERY_S)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(flow())
            try:
                yield
            finally:
                enough.set()

    # What is seen

    async def until(self, condition: Callable[[], bool], what: str, within_s: float = SEEN_WITHIN_S) -> None:
        """Wait until Prometheus says so."""
        await asyncio.to_thread(self.prometheus.wait_until, condition, what, within_s)

    async def holds(self, expression: str) -> None:
        """Wait until an expression has a value."""
        await self.until(lambda: bool(self.prometheus.samples(expression)), expression)

    async def routing(self) -> None:
        """Every partition is routed, and Prometheus knows."""
        count = "count(count by (partition) (fenliu_input_lag_seconds))"
        await self.until(lambda: _value(self.prometheus, count) == PARTITIONS, "all partitions are routed")
        self.say("all partitions are routed")

    async def condition(self) -> None:
        """The alert's own expression has a value."""
        expression, seen = faster(self.rule.expr), list[float]()

        def shown() -> bool:
            seen[:] = [float(sample["value"][1]) for sample in self.prometheus.samples(expression)]
            return bool(seen)

        await self.until(shown, f"the condition of {self.rule.name}")
        self.say(f"seen in the metrics: {' '.join(self.rule.expr.split())}  is {seen[0]:.3g}")

    async def fires(self) -> None:
        """The alert fires."""
        rule = self.rule
        await self.until(lambda: bool(self.prometheus.firing(rule.name, rule.severity)), f"{rule.name} fires")
        alert, *_ = self.prometheus.firing(rule.name, rule.severity)
        self.say(f"fires ({rule.severity}): {alert['annotations']['summary']}")

    async def ends(self) -> None:
        """It does not any more."""
        rule = self.rule
        await self.until(lambda: not self.prometheus.firing(rule.name, rule.severity), f"{rule.name} ends")
        self.say("ends")

    # What is done

    async def follow(self, *, worker: int = 0, right: Iterable[int] = (), only: str = "") -> None:
        """Run the runbook's commands, in its order.

        Args:
            worker: the place of the worker that it is about.
            right: further exit codes that are right here.
            only: those that begin so.
        """
        about = self.workers[worker]
        words = Placeholders(
            worker=self.address(worker), kafka=self.settings.kafka_bootstrap_servers, app_id=self.settings.app_id,
            prefix=self.settings.topic_prefix, pid=about.process.pid, shop=SHOP, file=self.file,
        )  # fmt: skip
        for written in commands(self.rule.page.stem):
            if not written.startswith(only):
                continue
            line = words.filled(written)
            if line == "fenliu worker":
                self.worker(1)
                ran = Ran(line, 0, "", right=True)
            else:
                ran = await run(line, self.programs, self.environment, frozenset(right))
            self.ran.append(ran)
            self.say(str(ran))
            if not ran.right:
                click.echo(ran.output)

    async def nothing_lost(self) -> None:
        """Every message that was published was assigned once; assignments that came later have another id."""
        firsts: list[str] = []

        def all_there(seen: object) -> bool:
            assert isinstance(seen, dict)
            firsts.clear()
            for records in seen["assignments"].values():
                ids = [str(orjson.loads(record.value)["assignment_id"]) for record in records]
                firsts.extend(identity for identity in ids if "#" not in identity)
            return self.sent <= set(firsts)

        await consume(self.settings, ["assignments"], all_there, within_s=SEEN_WITHIN_S)
        assert len(firsts) == len(set(firsts)), "something was assigned twice"
        assert set(firsts) == self.sent, "something was assigned that nobody sent"
        self.say(f"nothing lost: {len(firsts):,} messages, each assigned once")


@contextmanager
def stage(
    alert: str, severity: str, bootstrap_servers: str, place: Path, programs: Path, prometheus: str
) -> Iterator[Stage]:
    """A stage with topics of its own.

    Args:
        alert: its name.
        severity: of the rule that is meant.
        bootstrap_servers: of the brokers.
        place: a directory for it.
        programs: where the commands are, as `tools.make` puts them.
        prometheus: the binary.
    """
    settings = Settings.load(
        kafka_bootstrap_servers=bootstrap_servers,
        app_id=f"drill-{place.name}",
        topic_prefix=f"{place.name}-",
        session_timeout_s=6,
    )
    place.mkdir()
    made = Stage(alert, severity, settings, place, programs)
    made.file.write_text(SETTINGS, encoding="utf-8")
    with made.watched(prometheus):
        yield made


async def make_topics(settings: Settings) -> None:
    """The declared topics, one copy of each."""
    await create(settings, partitions=PARTITIONS, replication=1)


def stop(worker: Worker) -> None:
    """SIGSTOP."""
    worker.signal(signal.SIGSTOP)


def go_on(worker: Worker) -> None:
    """SIGCONT."""
    worker.signal(signal.SIGCONT)


def now_ms() -> int:
    """The wall clock."""
    return int(time.time() * 1000)


def _message_id(record: Record) -> str | None:
    """The id of a message that can be used; None of other records."""
    if record.topic != "buyer-messages" or record.value is None:
        return None
    try:
        event = orjson.loads(record.value)
    except ValueError:
        return None
    skewed = event["occurred_at_ms"] > now_ms() + 60_000
    return None if skewed else str(event["event_id"])


def _value(prometheus: Prometheus, expression: str) -> float:
    samples = prometheus.samples(expression)
    return float(samples[0]["value"][1]) if samples else 0.0
