"""`fenliu demo` from outside: it runs through, shows figures, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.broker

COMMAND = [sys.executable, "-m", "streams", "demo"]


def _environment(directory: Path) -> dict[str, str]:
    # Settings of a person's own cluster must not matter.
    return {**os.environ, "TMPDIR": str(directory), "FENLIU_KAFKA_BOOTSTRAP_SERVERS": "kafka.invalid:9092"}


def _processes_that_mention(word: str) -> list[str]:
    return [line for line in subprocess.check_output(["ps", "-eo", "args"], text=True).splitlines() if word in line]


@pytest.fixture
def directory() -> Path:
    # Not tmp_path: pytest keeps that, and its long name is in the arguments of pytest's own processes.
    return Path(tempfile.mkdtemp(prefix="demo-test-"))


def _figure(name: str, text: str) -> int:
    found = re.search(rf"^{name}\s+([\d,]+)", text, re.MULTILINE)
    assert found is not None, text
    return int(found[1].replace(",", ""))


def test_it_runs_through_without_a_terminal_and_leaves_nothing_behind(directory: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--seconds", "8"],
        env=_environment(directory),
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout
    assert not done.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)  # plain lines, no control characters
    events, assignments = _figure("events", text), _figure("assignments", text)
    assert events > 50_000
    assert assignments > 25_000
    assert _figure("dead letters", text) > 100
    assert _figure("stranded", text) > 10
    assert _figure("rate", text) > 0
    assert re.search(r"^latency\s+p50 \d+ ms, p99 \d+ ms", text, re.MULTILINE)
    assert re.search(r"^metrics\s+http://127.0.0.1:\d+/metrics", text, re.MULTILINE)
    for code in ("schema", "not_json", "not_utf8", "too_large", "too_deep", "config", "key_mismatch", "clock_skew", "wrong_partition"):  # fmt: skip  # noqa: E501
        assert _figure(code, text) > 0
    for rule in ("recent_contact", "group_share", "page_share", "pool_drained", "stranded_rescue"):
        assert re.search(rf"^{rule}\s+\S+\s+[\d,]+", text, re.MULTILINE)
    assert list(directory.iterdir()) == []
    assert _processes_that_mention(str(directory)) == []
    directory.rmdir()


@pytest.mark.parametrize(
    ("after", "number"), [("broker", signal.SIGINT), ("worker", signal.SIGTERM), ("live", signal.SIGINT)]
)
def test_a_signal_ends_it_at_any_time_with_0(directory: Path, after: str, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        COMMAND, env=_environment(directory), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if after in line:
            break
    demo.send_signal(number)
    _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert not errors
    assert list(directory.iterdir()) == []
    assert _processes_that_mention(str(directory)) == []
    directory.rmdir()
