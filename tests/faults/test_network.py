"""The network between workers and the broker: slow, silent, cut. Clients of the harness go around it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.faulty_worker import Misfortune
from tests.faults.proxy import END_TXN, Proxy
from tests.faults.run import Run, start_run
from tests.faults.selection import long_run
from tests.faults.traffic import future_traffic
from tests.kafka.cluster import KafkaCluster, start_cluster
from tests.kafka.place import Place
from tests.kafka.ports import HOST, Ports

pytestmark = pytest.mark.kafka


class Proxied(NamedTuple):
    """A broker that tells those who come through the proxy to come through the proxy."""

    cluster: KafkaCluster
    port: int
    behind: int


@pytest.fixture(scope="module")
def proxied() -> Iterator[Proxied]:
    with Ports() as ports:
        port, behind = ports.reserve(), ports.reserve()

        def listeners(place: Place) -> dict[str, str]:
            plain = f"PLAINTEXT://{HOST}:{place.port}"
            controller = f"CONTROLLER://{HOST}:{place.controller_port}"
            return {
                "listeners": f"{plain},PROXIED://{HOST}:{behind},{controller}",
                "advertised.listeners": f"{plain},PROXIED://{HOST}:{port}",
                "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
            }

        with start_cluster(properties=listeners) as cluster:
            yield Proxied(cluster, port, behind)


@pytest.fixture
async def proxy(proxied: Proxied) -> AsyncIterator[Proxy]:
    async with Proxy(proxied.port, proxied.behind) as opened:
        yield opened


@pytest.fixture
async def run(proxied: Proxied, proxy: Proxy, tmp_path: Path) -> AsyncIterator[Run]:  # noqa: ARG001  it must be open
    async with start_run(
        proxied.cluster.bootstrap_servers,
        tmp_path,
        workers_servers=f"{HOST}:{proxied.port}",
        FENLIU_MAX_BATCH_EVENTS="50",
        FENLIU_MIN_BATCH_INTERVAL_MS="50",
    ) as started:
        yield started


async def test_a_slow_and_a_cut_network_around_the_commit(run: Run, proxy: Proxy) -> None:
    """Toxiproxy tests, as Redpanda and others have: answers come late, then connections are reset in mid-commit.

    Catches: a commit that is taken for failed and done again, or for done when it failed.
    """
    await run.backlog(future_traffic(7000, seed=61))
    for worker in run.workers(2, static=True):
        worker.lasting = Misfortune(transaction_timeout_s=20)
        worker.start()
    for _ in range(2):
        await run.commits.grown_by(1000)
        proxy.delay_s = 0.15
        await run.commits.grown_by(300)
        await proxy.holding(END_TXN)
        proxy.cut()
        await asyncio.sleep(1)
        proxy.heal()
    await run.verdict()


@long_run
async def test_a_network_that_is_silent_past_the_session_timeout(run: Run, proxy: Proxy) -> None:
    """Jepsen's partition: both workers believe to own what the group has taken from them.

    Catches: decisions of a worker that was cut off, committed after it is back.
    """
    await run.backlog(future_traffic(16_000, seed=62))
    for worker in run.workers(2):
        worker.lasting = Misfortune(transaction_timeout_s=20)
        worker.start()
    await run.commits.grown_by(3000)
    proxy.freeze()
    await asyncio.sleep(12)
    proxy.heal()
    await run.verdict(within_s=200)
