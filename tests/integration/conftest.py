"""A broker for the session and, for each test that asks, topics of its own on it."""

import asyncio
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.embedded import EmbeddedBroker, free_port
from streams.settings import Settings
from streams.topics import create
from tests.kafka.session import broker_kind
from tests.kafka.shared import cluster_of_session

PARTITIONS = 4
"""Few enough to be quick, more than one so that a partition can be mistaken for another."""


@dataclass(frozen=True)
class Broker:
    """A Kafka broker that tests may use; topics of other tests are on it too."""

    bootstrap_servers: str


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """The embedded broker, or with `--broker=kafka` Apache Kafka: the same tests hold on both."""
    if broker_kind(request.config) == "kafka":
        with cluster_of_session(request.session) as cluster:
            yield Broker(cluster.bootstrap_servers)
    else:
        with EmbeddedBroker() as embedded:
            yield Broker(embedded.bootstrap_servers)


@pytest.fixture
def environment(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The FENLIU_* variables of one test, set in this process too; its topics do not exist yet."""
    unique = uuid.uuid4().hex[:8]
    variables = {
        "FENLIU_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "FENLIU_TOPIC_PREFIX": f"t{unique}-",
        "FENLIU_APP_ID": f"app{unique}",
        "FENLIU_HTTP_PORT": str(free_port()),
        "FENLIU_DATA_DIR": str(tmp_path / "data"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def cluster_settings(environment: dict[str, str]) -> Settings:  # noqa: ARG001  it sets the variables
    """Settings of one test, whose topics have been created with PARTITIONS partitions."""
    settings = Settings.load()
    asyncio.run(create(settings, partitions=PARTITIONS, replication=1))
    return settings


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Commands set up the logs of the process, which here is that of the tests."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
