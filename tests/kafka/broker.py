"""One broker process of a test cluster, and what a fault does to it: killed, stopped, suspended, started again."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.kafka.available import find_java
from tests.kafka.errors import KafkaTestError
from tests.kafka.launch import launch
from tests.kafka.place import Place
from tests.kafka.probe import wait_until_answering

READY_WITHIN_S = 90.0
"""Five seconds on an idle machine; a busy one of two cores that runs three brokers needs much longer."""
_STOP_WITHIN_S = 30.0
_FORMAT_WITHIN_S = 90.0


class Broker:
    """One broker: it keeps its ports and its data over any number of ends and starts.

    Everything that waits blocks; in a coroutine call it with `asyncio.to_thread`.
    """

    def __init__(self, place: Place, jars: Path, heap_mib: int, java_options: Sequence[str] = ()) -> None:
        self.place = place
        self._jars = jars
        self._heap_mib = heap_mib
        self._java_options = java_options
        self._process: subprocess.Popen[bytes] | None = None
        self._suspended = False
        self._formatting: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"Broker(id={self.id}, port={self.port}, {'running' if self.running else 'down'})"

    @property
    def id(self) -> int:
        """Its node id: 1, 2, 3."""
        return self.place.id

    @property
    def port(self) -> int:
        """The port of the loopback for clients."""
        return self.place.port

    @property
    def running(self) -> bool:
        """Whether its process is there; a suspended one is."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process.

        Raises:
            KafkaTestError: if it is down.
        """
        return self._running().pid

    def start(self, *, wait: bool = True) -> None:
        """Start it on its ports and its data, and wait until it answers.

        Args:
            wait: False: return at once. Needed when most brokers of a cluster are down, as one alone has no quorum.

        Raises:
            KafkaTestError: if it runs already, ends, or does not answer in time.
        """
        if self.running:
            raise KafkaTestError("it runs already", where=f"broker {self.id}")
        self._suspended = False
        self._process = launch(self._java("kafka.Kafka", self.place.properties_file), self.place.log_file, self._home)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, *, nodes: int = 1, within_s: float = READY_WITHIN_S) -> None:
        """Block until it answers a metadata request and knows at least `nodes` live brokers.

        Raises:
            KafkaTestError: if it ends, or does not in time; the end of its log is shown.
        """
        try:
            wait_until_answering(self.place.address, nodes=nodes, within_s=within_s, check=self.check_alive)
        except KafkaTestError as exc:
            raise KafkaTestError(f"{exc}; the end of its log:\n{self.log_tail()}") from None

    def kill(self) -> None:
        """SIGKILL; returns when the process is gone. A suspended one dies too."""
        process = self._running()
        process.kill()
        process.wait()

    def stop(self) -> bool:
        """SIGTERM: it hands its partitions over and ends; after 30 s it is killed.

        Returns:
            Whether it ended by itself.
        """
        process = self._running()
        if self._suspended:
            self.resume()
        process.terminate()
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def suspend(self) -> None:
        """SIGSTOP: the process is there, its connections too, and it does nothing."""
        self._running().send_signal(signal.SIGSTOP)
        self._suspended = True

    def resume(self) -> None:
        """SIGCONT."""
        self._running().send_signal(signal.SIGCONT)
        self._suspended = False

    def end(self) -> None:
        """Make sure that nothing of it runs, whatever its state. Safe to call twice."""
        for process in (self._formatting, self._process):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def check_alive(self) -> None:
        """Raise if it is down.

        Raises:
            KafkaTestError: with its exit code.
        """
        self._running()

    def log_tail(self, lines: int = 20) -> str:
        """The end of what it printed."""
        if not self.place.log_file.exists():
            return "    (nothing)"
        text = self.place.log_file.read_text(encoding="utf-8", errors="replace")
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (nothing)"

    def begin_format(self, cluster_id: str, *options: str) -> None:
        """Start to prepare its empty data directory; several brokers do so at the same time."""
        tool = "kafka.tools.StorageTool"
        command = self._java(tool, "format", "-t", cluster_id, "-c", self.place.properties_file, *options)
        self._formatting = launch(command, self.place.log_file, self._home)

    def finish_format(self) -> None:
        """Wait for what `begin_format` started.

        Raises:
            KafkaTestError: if it failed: mostly a setting that Kafka does not take; its log says which.
        """
        assert self._formatting is not None
        if self._formatting.wait(_FORMAT_WITHIN_S) != 0:
            raise KafkaTestError(
                f"its data directory cannot be formatted:\n{self.log_tail()}", where=f"broker {self.id}"
            )

    @property
    def _home(self) -> Path:
        return self.place.directory

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise KafkaTestError("it was not started", where=f"broker {self.id}")
        code = self._process.poll()
        if code is not None:
            raise KafkaTestError(f"it is down (exit code {code})", where=f"broker {self.id}")
        return self._process

    def _java(self, main_class: str, *arguments: str | Path) -> list[str | Path]:
        java = find_java()
        if java is None:
            raise KafkaTestError("Java is gone", mend="install it again")
        return [
            java,
            f"-Xmx{self._heap_mib}m",
            # Few cores: the collector with the least threads.
            "-XX:+UseSerialGC",
            *self._java_options,
            "-Djava.net.preferIPv4Stack=true",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
            "-cp",
            f"{self._jars}/*",
            main_class,
            *arguments,
        ]
