"""The embedded broker of the demo and the tests: noida-db, a Kafka-protocol server in one binary, as a child process.

It serves one worker on one machine and is no broker for production: it does not evict dead members of a group.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.errors import BrokerUnreachableError, FenliuError, UsageError
from streams.kafka_clients import administration

HOST = "127.0.0.1"
READY_WITHIN_S = 20.0
_STOP_WITHIN_S = 5.0
_POLL_S = 0.02
_LOG_LINES = 15
_ATTEMPTS = 3
"""A port that was free may be taken before the broker binds it; then another one is tried."""


class EmbeddedBroker:
    """A broker that runs from `start()` to `stop()`, or for the length of a `with` block.

    Both block; in a coroutine call them with `asyncio.to_thread`.

    Args:
        data_dir: where topics live, kept at the end. None: a temporary directory, removed at the end.
        port: the port to listen on at the loopback. None: a free one.
    """

    def __init__(self, data_dir: Path | None = None, port: int | None = None) -> None:
        self._given_dir = data_dir
        self._given_port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.directory = data_dir or Path()
        self.port = port or 0

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the broker prints."""
        return self.directory / "broker.log"

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def start(self) -> None:
        """Start the broker and wait until it answers a metadata request.

        Raises:
            UsageError: if noida-db is not installed, or the port that was asked for is taken.
            FenliuError: if it ends or does not answer in time; the end of its log is shown.
        """
        if self._process is not None:
            raise FenliuError("the embedded broker runs already", where=self.bootstrap_servers)
        binary = find_binary()
        if self._given_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="fenliu-broker-", ignore_cleanup_errors=True)
            self.directory = Path(self._temporary.name)
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            for attempt in range(_ATTEMPTS):
                self.port = self._given_port or free_port()
                self._launch(binary)
                if self._becomes_ready(last=self._given_port is not None or attempt == _ATTEMPTS - 1):
                    return
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process for certain, and remove a temporary directory. Safe to call twice."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def check_alive(self) -> None:
        """Raise if the broker ended by itself.

        Raises:
            FenliuError: with the end of its log.
        """
        if self._process is not None and self._process.poll() is not None:
            raise self._failure(f"the embedded broker ended by itself (exit code {self._process.returncode})")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _launch(self, binary: Path) -> None:
        arguments = ["start", "--only", "kafka", "--data-dir", str(self.directory / "data"), "--host", HOST]
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  the binary of a package that we depend on
                [binary, *arguments, "--kafka-port", str(self.port)],
                stdin=subprocess.DEVNULL,
                # Its dynamic linker warns about glibc versions: nothing for a user's terminal.
                stdout=log,
                stderr=log,
                # Ctrl-C on a terminal reaches us alone: the worker still has a batch to commit when we get it.
                start_new_session=True,
            )

    def _becomes_ready(self, *, last: bool) -> bool:
        """True once it answers; False if it ended and another attempt is allowed."""
        deadline = time.monotonic() + READY_WITHIN_S
        process = self._process
        assert process is not None  # noqa: S101  for the type checker
        while time.monotonic() < deadline:
            if process.poll() is not None:
                if not last:
                    return False
                if self._given_port and "already in use" in self._log():
                    raise UsageError(f"port {self._given_port} is taken", mend="give another port, or none")
                self.check_alive()
            # Its own word comes first: whoever holds the port already would answer too.
            if self.bootstrap_servers in self._log() and asyncio.run(_answers(self.bootstrap_servers)):
                return True
            time.sleep(_POLL_S)
        raise self._failure(f"the embedded broker did not answer within {READY_WITHIN_S:.0f} s")

    def _failure(self, what: str) -> FenliuError:
        last_words = "\n".join(f"    {line}" for line in self._log().splitlines()[-_LOG_LINES:])
        return FenliuError(
            f"{what}; its last words:\n{last_words or '    (none)'}",
            mend="set FENLIU_KAFKA_BOOTSTRAP_SERVERS to a Kafka broker and use that",
        )

    def _log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")


def find_binary() -> Path:
    """Where noida-db is: in its package, or on PATH.

    Raises:
        UsageError: if it is in neither place.
    """
    for candidate in _candidates():
        if candidate.is_file():
            if not os.access(candidate, os.X_OK):
                candidate.chmod(0o755)  # some installers drop the bit
            return candidate
    raise UsageError("the embedded broker noida-db is not installed", mend="pip install 'fenliu[demo]'")


def _candidates() -> Iterator[Path]:
    spec = find_spec("noida_db")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "noida-db"
    on_path = shutil.which("noida-db")
    if on_path:
        yield Path(on_path)


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


async def _answers(servers: str) -> bool:
    try:
        async with administration({"bootstrap_servers": servers}, patience_s=0.5) as admin:
            return bool((await admin.describe_cluster())["brokers"])
    except BrokerUnreachableError:
        return False
