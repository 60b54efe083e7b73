"""Programs that a bench starts: on a leash, with a log each, and their CPU time as the kernel counts it."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.harness import ROOT
from tests.kafka.launch import launch

if TYPE_CHECKING:
    import subprocess

_TICKS_S = os.sysconf("SC_CLK_TCK")


class Program:
    """One process, running from the moment it is made.

    Args:
        command: the program and its arguments.
        log: what it prints goes there.
        environment: variables besides those of this process.
    """

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> None:
        variables = [f"{name}={value}" for name, value in (environment or {}).items()]
        self._log = log
        self._process: subprocess.Popen[bytes] = launch(["/usr/bin/env", *variables, *command], log, ROOT)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def cpu_s(self) -> float:
        """Seconds of CPU so far, all threads; 0 once it has ended."""
        return cpu_s(self.pid)

    def check_alive(self) -> None:
        """Raise with the end of its log if it has ended."""
        assert self.running, f"{self._process.args!r} ended with {self._process.returncode}:\n{self.log_tail()}"

    def log_tail(self, lines: int = 40) -> str:
        """The end of what it printed."""
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    async def stop(self, within_s: float = 15.0) -> None:
        """SIGTERM, and SIGKILL if that is not enough."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + within_s
        while self.running:
            await asyncio.sleep(0.05)
            if time.monotonic() > deadline:
                break
        self.kill()

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        if self.running:
            self._process.kill()
        self._process.wait()


def python(module: str) -> list[str]:
    """The command that runs a module with this Python."""
    return [sys.executable, "-m", module]


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process and its threads have used so far; 0 when it is gone."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_S
    return 0.0
