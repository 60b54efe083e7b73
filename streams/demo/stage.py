"""What the demo runs on: a temporary directory, an embedded broker, and a worker as a child process.

Whatever happens, `Stage` stops what it started and removes what it made.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.demo.errors import DemoError
from streams.embedded import HOST, EmbeddedBroker, free_port
from streams.settings import PREFIX, Settings, variable
from streams.topics import create

PARTITIONS = 4
_STOP_WITHIN_S = 15.0
"""A worker is gone 10 s after SIGTERM at the latest; the rest is for a busy machine."""


class Stage:
    """A broker with topics, and a place for one worker; an asynchronous context manager."""

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="fenliu-demo-", ignore_cleanup_errors=True)
        self._directory = Path(self._temporary.name)
        self._broker = EmbeddedBroker(self._directory / "broker")
        self._worker: subprocess.Popen[bytes] | None = None
        self.settings = Settings()

    @property
    def metrics_url(self) -> str:
        """Where the worker serves its metrics."""
        return f"http://{self.settings.http_host}:{self.settings.http_port}/metrics"

    @property
    def broker_version(self) -> str:
        """What runs, in words."""
        return f"noida-db on {self._broker.bootstrap_servers}"

    async def start_broker(self) -> None:
        """Start the broker; `settings` are for it from then on.

        Raises:
            UsageError: if noida-db is not installed.
            FenliuError: if it does not start.
        """
        await asyncio.to_thread(self._broker.start)
        # Settings of the person's own environment are for another cluster.
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            del os.environ[name]
        self.settings = Settings.load(
            kafka_bootstrap_servers=self._broker.bootstrap_servers,
            app_id="fenliu-demo",
            http_host=HOST,
            http_port=free_port(),
            data_dir=self._directory / "worker",
        )

    async def create_topics(self) -> int:
        """Create the declared topics; their number."""
        return len((await create(self.settings, partitions=PARTITIONS, replication=1)).created)

    def start_worker(self) -> int:
        """Start `fenliu worker` as a child; its process id."""
        fields = ("kafka_bootstrap_servers", "app_id", "http_host", "http_port", "data_dir")
        environment = {**os.environ, **{variable(name): str(getattr(self.settings, name)) for name in fields}}
        with self._log_file.open("wb") as log:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "streams", "worker"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the demo alone, which then asks the worker to finish.
                start_new_session=True,
            )
        return self._worker.pid

    def check_alive(self) -> None:
        """Raise if the broker or the worker ended by itself.

        Raises:
            FenliuError: with the end of its log.
        """
        self._broker.check_alive()
        if self._worker is not None and (code := self._worker.poll()) is not None:
            raise self.failure(f"the worker ended by itself (exit code {code})")

    def failure(self, what: str) -> DemoError:
        """An error with the end of the worker's log."""
        return DemoError(
            f"{what}; its last words:\n{self._log_tail()}",
            mend="start the demo again; if it happens again, report these lines",
        )

    async def read_metrics(self) -> str | None:
        """What the worker tells at its metrics address; None if it serves none."""
        try:
            return await asyncio.to_thread(_fetch, self.metrics_url)
        except OSError:
            return None

    async def stop_worker(self) -> None:
        """Let the worker commit and leave; end it for certain."""
        worker, self._worker = self._worker, None
        if worker is None or worker.poll() is not None:
            return
        worker.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(worker.wait, _STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            await self.stop_worker()
        finally:
            await asyncio.to_thread(self._broker.stop)
            self._temporary.cleanup()

    @property
    def _log_file(self) -> Path:
        return self._directory / "worker.log"

    def _log_tail(self, lines: int = 15) -> str:
        text = self._log_file.read_text(encoding="utf-8", errors="replace")
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own worker at the loopback
        text: bytes = answer.read()
    return text.decode()
