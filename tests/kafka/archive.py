"""How a broker that lives for seconds starts in half the time: one compiler, and classes that are mapped, not read.

Java writes them down when a broker ends that was told to (class data sharing); the first one on a machine does so.
"""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.kafka.available import find_java

_ONE_COMPILER = "-XX:TieredStopAtLevel=1"
"""The quick one: what the thorough one (C2) makes pays after minutes."""


def quick_start(distribution: Path, run_once: Callable[[Sequence[str]], None]) -> tuple[str, ...]:
    """The options of Java for it.

    Args:
        distribution: the directory of Kafka's jars; the archive lies beside it.
        run_once: starts a broker with options and stops it; called if there is no archive yet.
    """
    archive = archive_of(distribution)
    with archive.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            fresh = archive.with_suffix(".new")
            run_once((_ONE_COMPILER, f"-XX:ArchiveClassesAtExit={fresh}"))
            if fresh.exists():  # not if the broker had to be killed: the next one tries again
                fresh.rename(archive)
    return (_ONE_COMPILER, f"-XX:SharedArchiveFile={archive}")


def archive_of(distribution: Path) -> Path:
    """Where the classes of these jars are for this Java, which takes no other's."""
    java = find_java()
    assert java is not None
    # What the variable says would be told as well.
    variables = {name: value for name, value in os.environ.items() if name != "JAVA_TOOL_OPTIONS"}
    release = subprocess.run([java, "-version"], env=variables, check=True, capture_output=True).stderr
    return distribution.with_name(f"{distribution.name}-{hashlib.sha256(release).hexdigest()[:16]}.jsa")
