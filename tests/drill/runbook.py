"""The commands of a runbook, as they are written there, with its placeholders filled in."""

import asyncio
import os
import re
import shlex
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.unit.deploy.places import RUNBOOKS

WITHIN_S = 120.0
"""For any of them; Kafka's tools take some seconds to begin with."""

_FENCE = re.compile(r"^ *```console\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^ *\$ (.+)$", re.MULTILINE)

ELSEWHERE = ("systemctl", "journalctl", "kubectl", "timedatectl")
"""Of a service manager or a cluster that is not here: they are called, and what they answer is not looked at."""

FINDINGS_OK = {"fenliu check": {0, 1}, "fenliu config get": {0, 1}, "fenliu topics check": {0, 1}}
"""Commands whose findings are why they are called."""


@dataclass(frozen=True)
class Ran:
    """A command that was run."""

    line: str
    code: int
    output: str
    right: bool

    def __str__(self) -> str:
        mark = "ok  " if self.right else "WRONG"
        return f"{mark} {self.line}  → {self.code}"


@dataclass
class Placeholders:
    """What stands for the words of the runbooks."""

    worker: str
    """host:port of its pages."""
    kafka: str
    app_id: str
    prefix: str
    pid: int
    shop: str = "shop-1"
    file: Path = field(default_factory=Path)

    def filled(self, line: str) -> str:
        """A command line with them; groups and topics are those of this drill."""
        for word, value in {
            r"\bWORKER:8080\b": self.worker,
            r"\bKAFKA:9092\b": self.kafka,
            r"\bPID\b": str(self.pid),
            r"\bSHOP\b": self.shop,
            r"\bFILE\b": str(self.file),
            r"(?<=--group )fenliu\b": self.app_id,
            r"'fenliu-": f"'{self.prefix}{self.app_id}-",
        }.items():
            line = re.sub(word, value, line)
        return line


def commands(page: str) -> Iterator[str]:
    """The command lines of a runbook, in order."""
    for fence in _FENCE.findall((RUNBOOKS / f"{page}.md").read_text(encoding="utf-8")):
        yield from _COMMAND.findall(fence)


async def run(line: str, path: Path, environment: Mapping[str, str], right: frozenset[int]) -> Ran:
    """Run one as an operator's shell would, without a terminal.

    Args:
        line: with its placeholders filled in.
        path: where the programs are.
        environment: the FENLIU_* variables.
        right: further exit codes that are right.
    """
    process = await asyncio.create_subprocess_exec(
        "bash", "-o", "pipefail", "-c", line,
        env={**os.environ, **environment, "PATH": f"{path}:{os.environ['PATH']}"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), WITHIN_S)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        return Ran(line, -1, f"not within {WITHIN_S:.0f} s", right=False)
    assert process.returncode is not None
    return Ran(line, process.returncode, output.decode(errors="replace"), _is_right(line, process.returncode, right))


def _is_right(line: str, code: int, right: frozenset[int]) -> bool:
    words = shlex.split(line)
    if words[0] in ELSEWHERE:
        return True
    wanted = next((codes for start, codes in FINDINGS_OK.items() if line.startswith(start)), {0})
    return code in wanted | right
