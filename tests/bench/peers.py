"""The small counting job on fenliu's lane and on its peers: one broker, one topic, one after another, in turns.

The job: read, parse the JSON, count per shop, one output per event (`tests.bench.peer_jobs`). How far a system is, the
end of its output topic says, transactions under way and all; the first fifth of the events is warm-up for all of them.
"""

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.settings import Settings
from streams.simulate.publisher import publisher
from tests.bench import backlog, java
from tests.bench.brokers import Ground, ground
from tests.bench.harness import ROOT, BenchResult, Effort, Figure, Goal
from tests.bench.processes import python
from tests.bench.progress import ends, watch, window

PARTITIONS = 4
SHOPS = 1_000
EVENTS = 1_000_000
WARM_UP = 0.2
QUICKLY = 5
"""With `--quick` so many times fewer events."""
_REQUIREMENTS = Path(__file__).parent / "peer_jobs" / "requirements.txt"


@dataclass(frozen=True, slots=True)
class Peer:
    """One system with one guarantee.

    Args:
        name: in the table.
        job: the module of `peer_jobs`, or `kafka_streams`.
        guarantee: as the system calls it.
        events: what it can do in ten seconds or so.
        store: of Kafka Streams.
    """

    name: str
    job: str
    guarantee: str = ""
    events: int = EVENTS
    store: str = ""


LANE = Peer("fenliu's lane, exactly once", "counting_worker")
STREAMS = Peer("Kafka Streams 4.1.1, exactly_once_v2, in memory", "kafka_streams", "exactly_once_v2", store="memory")
FAUST = Peer("faust-streaming 0.15.3, at_least_once", "stock_faust", "at_least_once", 20_000)
PEERS = (
    LANE,
    STREAMS,
    Peer("Kafka Streams 4.1.1, exactly_once_v2, RocksDB", "kafka_streams", "exactly_once_v2", store="rocksdb"),
    Peer("Quix Streams 3.28.1, at-least-once", "quix", "at-least-once", 300_000),
    Peer("Quix Streams 3.28.1, exactly-once", "quix", "exactly-once", 300_000),
    FAUST,
    Peer("faust-streaming 0.15.3, exactly_once", "stock_faust", "exactly_once", 15_000),
    Peer("raw aiokafka, no guarantee, no state kept", "raw"),
)
GOAL = Goal(1.2, at_least=True)


def run(effort: Effort) -> BenchResult:
    """Publish once; all systems take turns."""
    return asyncio.run(_run(effort))


async def _run(effort: Effort) -> BenchResult:
    share = QUICKLY if effort.quick else 1
    peers = [peer for peer in PEERS if peer.job != "kafka_streams" or java.javac_missing() is None]
    quix = await asyncio.to_thread(_quix_python)
    rates: dict[Peer, list[float]] = {peer: [] for peer in peers}
    async with ground() as here:
        settings = await here.settings(partitions=PARTITIONS)
        async with publisher(settings) as out:
            await out.publish(backlog.first_messages(SHOPS, EVENTS // share))
        for _ in range(effort.few):
            for peer in peers:
                rates[peer].append(await _measure(here, settings, peer, peer.events // share, quix))
    figures = [Figure(peer.name, "events/s", values) for peer, values in rates.items()]
    figures += [
        Figure(f"{LANE.name}, against {peer.name}", "times", _ratios(rates[LANE], rates[peer]), goal)
        for peer, goal in ((STREAMS, GOAL), (FAUST, None))
        if peer in rates
    ]
    return BenchResult("peers", f"A small counting job, one worker, {PARTITIONS} partitions", figures)


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


async def _measure(here: Ground, inputs: Settings, peer: Peer, events: int, quix: str) -> float:
    if peer is LANE:
        settings = await here.settings(partitions=PARTITIONS)
        out = settings.topic("agent-presence")
        async with ends(here.servers, out, PARTITIONS) as ask:
            before = await ask()
            program = here.worker(settings, module="tests.bench.peer_jobs.counting_worker")
            looks = await watch(ask, events, [program], here.broker_pid, before=before)
    else:
        app = here.unique("peer")
        out = f"{app}-out"
        await create_topic(here.servers, out, PARTITIONS)
        program = here.program(
            command(peer, quix),
            SERVERS=here.servers,
            APP=app,
            IN=inputs.topic("buyer-messages"),
            OUT=out,
            PARTITIONS=str(PARTITIONS),
            GUARANTEE=peer.guarantee,
            STORE=peer.store,
            COMMIT_MS="100",
            DATA_DIR=str(here.directory / app),
            STATE_DIR=str(here.directory / app),
        )
        async with ends(here.servers, out, PARTITIONS) as ask:
            looks = await watch(ask, events, [program], here.broker_pid)
    await here.stop()
    return window(looks, begin=WARM_UP).rate


def command(peer: Peer, quix: str) -> list[str]:
    """How to start its job."""
    if peer.job == "kafka_streams":
        return java.count_per_shop()
    if peer.job == "quix":
        return [quix, str(Path(__file__).parent / "peer_jobs" / "quix.py")]
    return python(f"tests.bench.peer_jobs.{peer.job}")


async def create_topic(servers: str, name: str, partitions: int) -> None:
    """One more topic, with the broker's settings."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()


def _quix_python() -> str:
    """The Python of the environment that has Quix Streams, made the first time."""
    home = ROOT / ".cache" / "bench-peers"
    interpreter = home / "bin" / "python"
    if not interpreter.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", str(_REQUIREMENTS)], check=True)
    return str(interpreter)
