"""A worker beside something that has its port, or another worker that has its name: it ends with the setting's name."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streams.embedded import free_port
from streams.settings import Settings
from streams.topics import create
from tests.integration.running import Worker, consume, produce, total
from tests.integration.traffic import message
from tests.kafka.cluster import KafkaCluster, start_cluster

pytestmark = pytest.mark.broker


@pytest.mark.usefixtures("cluster_settings")
def test_a_port_that_is_taken_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    """Catches: a traceback, and "report it", for the second worker on a machine."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        with Worker(environment | {"FENLIU_HTTP_PORT": port}, log=tmp_path / "worker.log") as worker:
            assert worker.wait() == 2
    assert "FENLIU_HTTP_PORT" in worker.log()
    assert port in worker.log()
    assert "Traceback" not in worker.log()


@pytest.mark.usefixtures("cluster_settings")
def test_an_address_that_is_not_this_machine_s_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    with Worker(environment | {"FENLIU_HTTP_HOST": "192.0.2.1"}, log=tmp_path / "worker.log") as worker:
        assert worker.wait() == 2
    assert "FENLIU_HTTP_HOST" in worker.log()
    assert "Traceback" not in worker.log()


@pytest.fixture
def kafka() -> Iterator[KafkaCluster]:
    with start_cluster() as cluster:
        yield cluster


@pytest.mark.kafka
async def test_of_two_workers_with_one_name_the_older_ends_and_says_so(
    kafka: KafkaCluster, environment: dict[str, str], tmp_path: Path
) -> None:
    """Catches: two workers that take the partitions from one another for ever, and call it a rebalance."""
    named = environment | {
        "FENLIU_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "FENLIU_GROUP_INSTANCE_ID": "worker-1",
    }
    settings = Settings.load(kafka_bootstrap_servers=kafka.bootstrap_servers)
    await create(settings, partitions=1, replication=1)
    await produce(settings, [message("shop-1", "m1", now_ms())])
    with Worker(named, log=tmp_path / "older.log") as older:
        await consume(settings, ["assignments"], lambda seen: total(seen) == 1, worker=older)
        with Worker(named | {"FENLIU_HTTP_PORT": str(free_port())}, log=tmp_path / "newer.log") as newer:
            assert await asyncio.to_thread(older.wait) == 2
            assert "with the FENLIU_GROUP_INSTANCE_ID of this one" in older.log()
            await produce(settings, [message("shop-1", "m2", now_ms())])
            await consume(settings, ["assignments"], lambda seen: total(seen) == 2, worker=newer)
            assert newer.stop() == 0


def now_ms() -> int:
    return int(time.time() * 1000)
