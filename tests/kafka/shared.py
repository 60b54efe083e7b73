"""One cluster for all tests of a session that run on Apache Kafka."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.kafka.cluster import KafkaCluster, start_cluster


@contextmanager
def cluster_of_session(session: pytest.Session) -> Iterator[KafkaCluster]:
    """One broker for many tests; its logs are kept if any of them failed."""
    with start_cluster() as cluster:
        failed_before = session.testsfailed
        yield cluster
        if session.testsfailed > failed_before:
            cluster.keep_logs()
