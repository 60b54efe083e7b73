"""Clusters for the fault tests, and a run on one of them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.run import Run, start_run
from tests.kafka.cluster import KafkaCluster
from tests.kafka.shared import cluster_of_session


@pytest.fixture(scope="session")
def one_broker(request: pytest.FixtureRequest) -> Iterator[KafkaCluster]:
    """One broker for all tests in which only workers fail."""
    with cluster_of_session(request.session) as cluster:
        yield cluster


@pytest.fixture
async def run(one_broker: KafkaCluster, tmp_path: Path) -> AsyncIterator[Run]:
    """Topics of its own on one broker; batches are small, so that much happens between two faults."""
    async with start_run(one_broker.bootstrap_servers, tmp_path, FENLIU_MAX_BATCH_EVENTS="50") as started:
        yield started
