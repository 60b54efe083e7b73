"""Worker processes and the supervisor that starts them again, as one in production would.

A worker here is a process group leader on a leash: it ends when the tests do, however they end.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from streams.embedded import free_port
from streams.errors import ExitCode
from tests.faults.faulty_worker import VARIABLE, Misfortune
from tests.kafka import leash

REPOSITORY = Path(__file__).parents[2]
POLL_S = 0.05
RESTARTED = frozenset({ExitCode.DONE, ExitCode.FENCED, ExitCode.BROKER, -signal.SIGKILL, -signal.SIGTERM})
"""How a worker may end and be started again without anybody being called: asked to, fenced, no broker, killed by us; by
SIGTERM while Python was starting, before anything of ours could run."""


class Exit(NamedTuple):
    """One end of one worker process."""

    worker: str
    code: int
    at_s: float
    """Of `time.monotonic()`."""


class UnexpectedExitError(AssertionError):
    """A worker ended in a way that needs a person."""


class Worker:
    """One worker, over any number of processes, one at a time.

    Args:
        name: of its log.
        environment: its FENLIU_* variables, without those of its own port and data.
        directory: for its log and its data.
    """

    def __init__(self, name: str, environment: dict[str, str], directory: Path) -> None:
        self.name = name
        self.environment = {
            **environment,
            "FENLIU_HTTP_PORT": str(free_port()),
            "FENLIU_DATA_DIR": str(directory / name),
        }
        self.misfortunes: list[Misfortune] = []
        """What the next processes do to themselves: each start takes the first."""
        self.lasting = Misfortune()
        """What every process does to itself that got nothing from `misfortunes`."""
        self.exits: list[Exit] = []
        self.wanted = False
        self.starts = 0
        self._log = directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._noticed = True

    def start(self) -> None:
        """Start a process; the supervisor keeps one running from now on."""
        misfortune = self.misfortunes.pop(0) if self.misfortunes else self.lasting
        command = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), sys.executable]
        environment = {**os.environ, **self.environment, VARIABLE: misfortune.encode()}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-m", "tests.faults.faulty_worker"],
                env=environment,
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wanted = True
        self._noticed = False
        self.starts += 1

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process

    @property
    def running(self) -> bool:
        """Whether its process is there; a suspended one is."""
        return self._process is not None and self._process.poll() is None

    def signal(self, what: signal.Signals) -> None:
        """Send a signal to the process, if there is one."""
        if self.running:
            self.process.send_signal(what)

    def notice(self) -> Exit | None:
        """Its end, told once."""
        if self._noticed or self._process is None or self._process.poll() is None:
            return None
        self._noticed = True
        end = Exit(self.name, self._process.returncode, time.monotonic())
        self.exits.append(end)
        return end

    async def ended(self, within_s: float = 60.0) -> int:
        """Wait for the end of the process that runs now; its exit code."""
        process, deadline = self.process, time.monotonic() + within_s
        while process.poll() is None:
            assert time.monotonic() < deadline, f"{self.name} did not end within {within_s} s:\n{self.log_tail()}"
            await asyncio.sleep(POLL_S)
        return process.returncode

    async def started_again(self, starts: int, within_s: float = 60.0) -> None:
        """Wait until the supervisor has started more processes than there were."""
        deadline = time.monotonic() + within_s
        while self.starts <= starts:
            assert time.monotonic() < deadline, f"{self.name} was not started again:\n{self.log_tail()}"
            await asyncio.sleep(POLL_S)

    async def suspended(self, within_s: float = 60.0) -> None:
        """Wait until the process has stopped itself (SIGSTOP)."""
        deadline = time.monotonic() + within_s
        while _state(self.process.pid) != "T":
            assert self.running, f"{self.name} ended:\n{self.log_tail()}"
            assert time.monotonic() < deadline, f"{self.name} did not stop within {within_s} s:\n{self.log_tail()}"
            await asyncio.sleep(POLL_S)

    async def stop(self) -> int:
        """SIGTERM, not to be started again; its exit code."""
        self.wanted = False
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        return await self.ended()

    def end(self) -> None:
        """Make sure that nothing of it runs."""
        self.wanted = False
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        """What it wrote on standard error, over all its processes."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def log_tail(self, lines: int = 40) -> str:
        """The end of it."""
        return "\n".join(self.log().splitlines()[-lines:])


def _state(pid: int) -> str:
    """What the kernel says of a process: R, S, D, T (stopped), Z (ended)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]


class Supervisor:
    """Starts workers again that ended as they may; `check()` raises if one did not.

    Args:
        workers: to look after.
        restarted: the exit codes after which a worker is started again.
    """

    def __init__(self, workers: Iterable[Worker], *, restarted: frozenset[int] = RESTARTED) -> None:
        self.workers = list(workers)
        self._restarted = restarted
        self._failures: list[str] = []

    async def run(self) -> None:
        """Look after them until cancelled."""
        while True:
            for worker in self.workers:
                end = worker.notice()
                if end is None or not worker.wanted:
                    continue
                if end.code in self._restarted:
                    worker.start()
                else:
                    self._failures.append(f"{worker.name} ended with {end.code}:\n{worker.log_tail()}")
            await asyncio.sleep(POLL_S)

    def check(self) -> None:
        """Raise if a worker ended in a way that needs a person.

        Raises:
            UnexpectedExitError: with the end of its log.
        """
        if self._failures:
            raise UnexpectedExitError("\n".join(self._failures))

    def exits(self) -> Counter[int]:
        """How many processes ended with which code."""
        return Counter(end.code for worker in self.workers for end in worker.exits)
