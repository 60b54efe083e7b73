"""Start processes that end with this one, however it ends."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_LEASH = Path(__file__).with_name("leash.py")

# The kernel's signal comes when the *thread* that started a child ends, not the process. A test may start a broker from
# a thread of its event loop's pool, so one thread starts them all, and it lives as long as the process.
_launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka-launcher")


def launch(command: Sequence[str | Path], log: Path, directory: Path) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; what it prints is appended to `log`.

    A session of its own, because Ctrl-C on a terminal is for the tests: they stop the brokers in their order.
    """
    leashed = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *map(str, command)]

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                leashed,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=directory,
                start_new_session=True,
            )

    return _launcher.submit(start).result()
