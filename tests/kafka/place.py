"""Where one broker of a test cluster lives, and the server.properties that follow from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.ports import HOST

_INTERNAL_PARTITIONS = 4
"""Of the topics for offsets and transactions: 50 each, as in production, would be created while a first test waits."""


@dataclass(frozen=True, slots=True)
class Place:
    """One broker's id, ports of the loopback, and directory."""

    id: int
    port: int
    controller_port: int
    directory: Path

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the broker prints, appended to over its restarts."""
        return self.directory / "broker.log"

    @property
    def data(self) -> Path:
        """Its topics and its copy of the cluster's metadata."""
        return self.directory / "data"

    @property
    def properties_file(self) -> Path:
        """Its server.properties."""
        return self.directory / "server.properties"


Properties = Mapping[str, str] | Callable[[Place], Mapping[str, str]]
"""Settings in addition to the cluster's own, the same for all brokers, or by the broker's place."""


def server_properties(place: Place, places: Sequence[Place], *, auto_create: bool, more: Properties) -> str:
    """The text of a broker's server.properties: broker and controller in one process, every copy on every broker."""
    copies = min(3, len(places))
    in_sync = 2 if copies == 3 else 1
    settings = {
        "process.roles": "broker,controller",
        "node.id": str(place.id),
        "controller.quorum.voters": ",".join(f"{p.id}@{HOST}:{p.controller_port}" for p in places),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{place.port},CONTROLLER://{HOST}:{place.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{place.port}",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": (
            "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL"
        ),
        "log.dirs": str(place.data),
        "auto.create.topics.enable": str(auto_create).lower(),
        "num.partitions": "1",
        "default.replication.factor": str(copies),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.num.partitions": str(_INTERNAL_PARTITIONS),
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.num.partitions": str(_INTERNAL_PARTITIONS),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.num.partitions": str(_INTERNAL_PARTITIONS),
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": str(in_sync),
        # A group of one test does not wait for members that never come.
        "group.initial.rebalance.delay.ms": "0",
        # Of 128 MiB, the default, little would be left of a small heap.
        "log.cleaner.dedupe.buffer.size": str(16 << 20),
        "num.network.threads": "2",
        "num.io.threads": "4",
        **(more(place) if callable(more) else more),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
