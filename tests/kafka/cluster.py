"""A cluster of one or three brokers for tests: Apache Kafka on free ports of the loopback, in a temporary directory.

    with start_cluster(3) as cluster:
        cluster.brokers[0].kill()

It is stopped with certainty: at the end of the block, and by the kernel when the process that started it dies.
"""

import base64
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.kafka.archive import quick_start
from tests.kafka.broker import READY_WITHIN_S, Broker
from tests.kafka.distribution import jars
from tests.kafka.errors import KafkaTestError
from tests.kafka.place import Place, Properties, server_properties
from tests.kafka.ports import Ports
from tests.kafka.probe import wait_until_in_sync
from tests.kafka.scratch import scratch_directory

_HEAP_MIB = {1: 1024, 3: 512}
"""By the number of brokers. Two are no choice: they need both for a majority."""
LOGS_VARIABLE = "KAFKA_TEST_LOGS"
"""A directory for the logs of clusters that tests failed on (CI keeps it); a temporary one if unset."""


class KafkaCluster:
    """A running cluster. Make one with `start_cluster`."""

    def __init__(self, brokers: Sequence[Broker], directory: Path) -> None:
        self.brokers = list(brokers)
        self.directory = directory
        self._keep_logs = False

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect: every broker, as host:port, separated by commas."""
        return ",".join(broker.place.address for broker in self.brokers)

    def broker(self, node_id: int) -> Broker:
        """The broker with this node id, as a partition's leader is named in metadata."""
        return next(broker for broker in self.brokers if broker.id == node_id)

    def wait_until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Block until each running broker answers and knows all that run.

        Raises:
            KafkaTestError: if one does not in time.
        """
        running = [broker for broker in self.brokers if broker.running]
        for broker in running:
            broker.wait_until_ready(nodes=len(running), within_s=within_s)

    def wait_until_in_sync(self, within_s: float = READY_WITHIN_S) -> None:
        """Block until every partition has a leader and all its copies are in sync: then any broker may be killed.

        Raises:
            KafkaTestError: if no broker runs, or that is not so in time.
        """
        running = next((broker for broker in self.brokers if broker.running), None)
        if running is None:
            raise KafkaTestError("every broker is down", where=str(self.brokers))
        wait_until_in_sync(running.place.address, within_s=within_s, check=running.check_alive)

    def check_alive(self) -> None:
        """Raise if a broker is down.

        Raises:
            KafkaTestError: that names it.
        """
        for broker in self.brokers:
            broker.check_alive()

    def keep_logs(self) -> None:
        """Keep the brokers' logs at the end, also without an exception: a test on this cluster failed."""
        self._keep_logs = True

    def save_logs(self) -> None:
        """Copy logs and settings to where they stay, and say where, if that was asked for."""
        if not self._keep_logs:
            return
        given = os.environ.get(LOGS_VARIABLE)
        if given:
            Path(given).mkdir(parents=True, exist_ok=True)
        target = Path(tempfile.mkdtemp(prefix="fenliu-kafka-logs-", dir=given))
        for broker in self.brokers:
            for file in (broker.place.log_file, broker.place.properties_file):
                if file.exists():
                    shutil.copyfile(file, target / f"{broker.id}-{file.name}")
        sys.stderr.write(f"the logs of Apache Kafka are in {target}\n")


@contextmanager
def start_cluster(
    brokers: int = 1,
    *,
    auto_create: bool = False,
    properties: Properties | None = None,
    ports: Sequence[int] | None = None,
    format_options: Sequence[str] = (),
    java_options: Sequence[str] | None = None,
) -> Iterator[KafkaCluster]:
    """Start Apache Kafka and wait until every broker answers; at the end nothing is left but, after a failure, logs.

    It blocks; in a coroutine enter it by `asyncio.to_thread`, or use a fixture that is none.

    Args:
        brokers: 1 or 3, each broker and controller in one. With three, topics have three copies, two of them in sync.
        auto_create: whether a topic is created when somebody asks for it.
        properties: settings for server.properties in addition to ours; a function gets the broker's place. The
            first listener must stay the plaintext one: readiness is asked there.
        ports: for clients, one a broker. None: free ones.
        format_options: of `kafka-storage.sh format`, as `--add-scram`.
        java_options: of Java itself. None: those that make it start quickly; what runs for minutes is faster without.

    Raises:
        KafkaTestError: if Java or Maven is missing, or a broker does not start.
    """
    if brokers not in _HEAP_MIB:
        raise KafkaTestError(f"a cluster has 1 or 3 brokers, not {brokers}")
    if ports is not None and len(ports) != brokers:
        raise KafkaTestError(f"{len(ports)} ports for {brokers} brokers")
    distribution = jars()
    if java_options is None:
        java_options = quick_start(distribution, _run_once)
    with ExitStack() as stack:
        directory = stack.enter_context(scratch_directory())
        held = stack.enter_context(Ports())
        wanted = ports or [0] * brokers
        places = [
            Place(id=i, port=held.reserve(port), controller_port=held.reserve(), directory=directory / f"broker-{i}")
            for i, port in enumerate(wanted, start=1)
        ]
        heap_mib = _HEAP_MIB[brokers]
        cluster = KafkaCluster([Broker(place, distribution, heap_mib, java_options) for place in places], directory)
        try:
            for place in places:
                place.directory.mkdir()
                text = server_properties(place, places, auto_create=auto_create, more=properties or {})
                place.properties_file.write_text(text, encoding="utf-8")
            _start(cluster, format_options)
            yield cluster
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException:  # a failed assertion of pytest is no Exception
            cluster.keep_logs()
            raise
        finally:
            for broker in cluster.brokers:
                broker.end()
            cluster.save_logs()


def _run_once(java_options: Sequence[str]) -> None:
    with start_cluster(java_options=java_options) as cluster:
        cluster.brokers[0].stop()


def _start(cluster: KafkaCluster, format_options: Sequence[str]) -> None:
    """Format all, then start all: each step is a Java process of a second or more, so side by side."""
    cluster_id = _random_id()
    for broker in cluster.brokers:
        broker.begin_format(cluster_id, *format_options)
    for broker in cluster.brokers:
        broker.finish_format()
    for broker in cluster.brokers:
        broker.start(wait=False)
    cluster.wait_until_ready()


def _random_id() -> str:
    """A cluster id as Kafka writes them. `StorageTool random-uuid` would be one more Java process."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):  # it would be taken for an option
            return text
