"""Whether Apache Kafka can run here: Java 17 or later and Maven are found.

`python -m tests.kafka.available` exits 0 if so. Otherwise it says why, and exits 1 (leave the tests on Kafka out), or 2
with CI set (they must run).
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

JAVA_AT_LEAST = 17
_ANSWERS_WITHIN_S = 60
"""Java and Maven answer in a second; on a machine under load they do so later."""


def kafka_available() -> str | None:
    """None when Java 17 or later and Maven are found, else the reason in words."""
    return _reason(os.environ.get("PATH", ""), os.environ.get("JAVA_HOME", ""))


def kafka_required() -> bool:
    """Whether a machine without Java or Maven is an error: with CI set."""
    return bool(os.environ.get("CI"))


def find_java() -> Path | None:
    """The Java that Maven would take too: of JAVA_HOME, else on PATH."""
    home = os.environ.get("JAVA_HOME")
    if home:
        java = Path(home) / "bin" / "java"
        return java if java.is_file() else None
    found = shutil.which("java")
    return Path(found) if found else None


def main() -> int:
    """Say it in words and as an exit code."""
    reason = kafka_available()
    if reason is None:
        sys.stdout.write("Apache Kafka can run here\n")
        return 0
    if kafka_required():
        sys.stderr.write(f"the tests on Apache Kafka must run, since CI is set, and cannot: {reason}\n")
        return 2
    sys.stdout.write(f"the tests on Apache Kafka are left out: {reason}\n")
    return 1


@functools.cache
def _reason(path: str, java_home: str) -> str | None:
    """The arguments are what the answer depends on: a test may change them."""
    java = find_java()
    if java is None:
        where = f"in JAVA_HOME ({java_home})" if java_home else "on PATH"
        return f"no Java {where}: install Java {JAVA_AT_LEAST} or later"
    version = _java_version(java)
    if version is None:
        return f"{java} does not tell its version: reinstall Java {JAVA_AT_LEAST} or later"
    if version < JAVA_AT_LEAST:
        return f"{java} is Java {version}: install Java {JAVA_AT_LEAST} or later, or set JAVA_HOME to one"
    if shutil.which("mvn", path=path) is None:
        return "no Maven (mvn) on PATH: install it"
    return None


def _java_version(java: Path) -> int | None:
    """The feature release: 17 of `openjdk version "17.0.15"`, 8 of `java version "1.8.0_402"`."""
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_ANSWERS_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(match[1]) if match else None


if __name__ == "__main__":
    sys.exit(main())
