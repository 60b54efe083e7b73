"""Clusters for the fault tests, and a run on one of them."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.run import Run, start_run
from tests.kafka.cluster import KafkaCluster, start_cluster
from tests.kafka.shared import cluster_of_session


@pytest.fixture(scope="session")
def one_broker(request: pytest.FixtureRequest) -> Iterator[KafkaCluster]:
    """One broker for all tests in which only workers fail."""
    with cluster_of_session(request.session) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def three_brokers(request: pytest.FixtureRequest) -> Iterator[KafkaCluster]:
    """Three brokers for the tests in which brokers fail."""
    with start_cluster(3) as cluster:
        failed_before = request.session.testsfailed
        yield cluster
        if request.session.testsfailed > failed_before:
            cluster.keep_logs()


@pytest.fixture
def in_sync(three_brokers: KafkaCluster) -> KafkaCluster:
    """Three brokers that run and are in sync, whatever the test before did to them."""
    for broker in three_brokers.brokers:
        if broker.running:
            broker.resume()
        else:
            broker.start(wait=False)
    three_brokers.wait_until_ready()
    three_brokers.wait_until_in_sync()
    return three_brokers


@pytest.fixture(autouse=True)
def quiet_clients() -> Iterator[None]:
    """The clients of the harness log every retry, and faults make many."""
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.fixture
async def run(one_broker: KafkaCluster, tmp_path: Path) -> AsyncIterator[Run]:
    """Topics of its own on one broker; batches are small, so that much happens between two faults."""
    async with start_run(one_broker.bootstrap_servers, tmp_path, FENLIU_MAX_BATCH_EVENTS="50") as started:
        yield started
