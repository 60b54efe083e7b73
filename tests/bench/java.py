"""Kafka Streams to measure against: its jars by Maven, our program by javac, both once, in a cache outside the tree."""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.kafka.available import find_java
from tests.kafka.distribution import cache_directory
from tests.kafka.errors import KafkaTestError

_SOURCES = Path(__file__).with_name("kafka_streams")
_POM, _PROGRAM = _SOURCES / "pom.xml", _SOURCES / "CountPerShop.java"
_WITHIN_S = 600


def javac_missing() -> str | None:
    """Why the program cannot be compiled here; None if it can. A JRE is not enough."""
    return None if shutil.which("javac") else "there is no javac (a JDK is needed)"


def count_per_shop() -> list[str]:
    """The command that runs the counting job on Kafka Streams; what it needs is made the first time.

    Raises:
        KafkaTestError: if Maven or javac fails.
    """
    digest = hashlib.sha256(_POM.read_bytes() + _PROGRAM.read_bytes()).hexdigest()[:16]
    target = cache_directory() / f"kafka-streams-{digest}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _make(target)
    return [str(find_java()), "-Xmx512m", "-cp", f"{target}:{target}/*", _PROGRAM.stem]


def _make(target: Path) -> None:
    """Fill a directory beside `target`, then rename: it appears complete or not at all."""
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        copy = ["mvn", "-q", "-B", "-C", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={fresh}"]
        _run(copy)
        _run(["javac", "-nowarn", "-cp", f"{fresh}/*", "-d", str(fresh), str(_PROGRAM)])
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_WITHIN_S, check=False)
    if done.returncode != 0:
        raise KafkaTestError(
            f"{command[0]} failed with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}",
            mend=" ".join(command),
        )
