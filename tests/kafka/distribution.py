"""Where the jars of Apache Kafka are: what pom.xml pins, downloaded by Maven once, in a cache outside the tree."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.kafka.available import kafka_available
from tests.kafka.errors import KafkaTestError

POM = Path(__file__).with_name("pom.xml")
_DOWNLOAD_WITHIN_S = 600


def jars(pom: Path = POM) -> Path:
    """The directory with Kafka's jars, or those of another pom; Maven fills it if this is the first time.

    Several processes may ask at once: one downloads, the others wait for it. The directory appears complete or not at
    all, so one that was killed half-way leaves nothing that is taken for a distribution.

    Raises:
        KafkaTestError: if Java or Maven is missing, or Maven fails.
    """
    reason = kafka_available()
    if reason is not None:
        raise KafkaTestError(f"Apache Kafka cannot run here: {reason}")
    target = cache_directory() / f"kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:16]}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _download(target, pom)
    return target


def cache_directory() -> Path:
    """The directory of fenliu under the user's cache."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says to ignore one that is not absolute.
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return base / "fenliu"


def _download(target: Path, pom: Path) -> None:
    """Let Maven copy the jars beside `target`, then rename."""
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        # -C: a jar whose checksum is not what the registry says fails the build.
        command = [
            "mvn",
            "-q",
            "-B",
            "-C",
            "-f",
            str(pom),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={fresh}",
        ]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=_DOWNLOAD_WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KafkaTestError(
                f"Maven did not bring Apache Kafka within {_DOWNLOAD_WITHIN_S} s", mend=" ".join(command)
            ) from None
        if done.returncode != 0 or not any(fresh.glob("kafka_*.jar")):
            raise KafkaTestError(
                f"Maven could not bring Apache Kafka (exit code {done.returncode}):\n{done.stdout[-2000:]}",
                where=str(pom),
                mend="see that Maven reaches its registry (its settings.xml names a mirror), then: "
                + " ".join(command),
            )
        fresh.chmod(0o755)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
