"""Where Java or Maven is missing, tests on Apache Kafka are left out with the reason; in CI they fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ON_KAFKA = "tests/integration/test_kafka_cluster.py::test_the_end_leaves_no_process_and_no_file"


def put(directory: Path, program: str, script: str = "") -> None:
    file = directory / program
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def run(directory: Path, *arguments: str, ci: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python where only the programs in `directory` are on PATH."""
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "JAVA_HOME", "PATH"}}
    environment |= {"PATH": str(directory)} | ({"CI": ci} if ci else {})
    return subprocess.run(
        [sys.executable, *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


def test_it_can_run_with_java_17_and_maven(tmp_path: Path) -> None:
    put(tmp_path, "java", """echo 'openjdk version "17.0.15" 2025-04-15' >&2""")
    put(tmp_path, "mvn")
    for ci in ("", "true"):
        assert run(tmp_path, "-m", "tests.kafka.available", ci=ci).returncode == 0


@pytest.mark.parametrize(
    ("java", "reason"),
    [
        (None, "no Java on PATH"),
        ("""echo 'openjdk version "11.0.2" 2019-01-15' >&2""", "is Java 11"),
        ("""echo 'java version "1.8.0_402"' >&2""", "is Java 8"),
        ("echo 'Unable to locate a Java Runtime.' >&2; exit 1", "does not tell its version"),
        ("""echo 'openjdk version "21" 2023-09-19' >&2""", "no Maven"),
    ],
)
def test_what_is_missing_is_said_in_words(tmp_path: Path, java: str | None, reason: str) -> None:
    if java is not None:
        put(tmp_path, "java", java)
    left_out = run(tmp_path, "-m", "tests.kafka.available")
    assert (left_out.returncode, left_out.stderr) == (1, "")
    assert reason in left_out.stdout
    in_ci = run(tmp_path, "-m", "tests.kafka.available", ci="true")
    assert (in_ci.returncode, in_ci.stdout) == (2, "")
    assert reason in in_ci.stderr


def test_without_java_the_tests_are_skipped_with_the_reason(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", ON_KAFKA)
    assert done.returncode == 0, done.stdout
    assert "Apache Kafka cannot run here: no Java on PATH" in done.stdout


def test_in_ci_they_fail_instead(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", ON_KAFKA, ci="true")
    assert done.returncode == 1, done.stdout
    assert "no Java on PATH" in done.stdout


def test_a_run_on_kafka_is_refused_without_java(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "--broker=kafka", "--collect-only", ON_KAFKA)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--broker=kafka: no Java on PATH" in done.stderr
