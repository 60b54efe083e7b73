"""For the test session: the option `--broker`, the cluster behind it, and what is left out where Kafka cannot run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest

from tests.kafka.available import kafka_available, kafka_required
from tests.kafka.cluster import KafkaCluster, start_cluster

BrokerKind = Literal["embedded", "kafka"]


def add_broker_option(parser: pytest.Parser) -> None:
    """`--broker`: what the tests marked `broker` run on."""
    parser.addoption(
        "--broker",
        choices=("embedded", "kafka"),
        default="embedded",
        help="what the integration tests run on: the embedded broker (the default), or Apache Kafka",
    )


def broker_kind(config: pytest.Config) -> BrokerKind:
    """What was chosen by `--broker`."""
    kind: BrokerKind = config.getoption("--broker")
    return kind


def require_chosen_broker(config: pytest.Config) -> None:
    """Refuse `--broker=kafka` where it cannot run: a run in which every test is left out must not look like success.

    Raises:
        pytest.UsageError: saying what is missing.
    """
    reason = kafka_available() if broker_kind(config) == "kafka" else None
    if reason is not None:
        raise pytest.UsageError(f"--broker=kafka: {reason}")


def leave_out_kafka(items: list[pytest.Item]) -> None:
    """Skip the tests marked `kafka` where Apache Kafka cannot run; with CI set they stay, and fail."""
    marked = [item for item in items if item.get_closest_marker("kafka") is not None]
    reason = kafka_available() if marked and not kafka_required() else None
    if reason is not None:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"Apache Kafka cannot run here: {reason}"))


@contextmanager
def cluster_of_session(session: pytest.Session) -> Iterator[KafkaCluster]:
    """One broker for many tests; its logs are kept if any of them failed."""
    with start_cluster() as cluster:
        failed_before = session.testsfailed
        yield cluster
        if session.testsfailed > failed_before:
            cluster.keep_logs()
