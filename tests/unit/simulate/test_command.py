"""`fenliu simulate` from outside: what it says, and how it ends."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main


def _simulate(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streams", "simulate", *args]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_without_a_terminal_it_says_a_plain_line_for_each_tenth_and_what_it_made(tmp_path: Path) -> None:
    done = _simulate("--shops", "2", "--rate", "2", "--hours", "1", "--out", str(tmp_path / "traffic.jsonl"))
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert [line.split(",")[0] for line in lines[:9]] == [f"{tenth * 10} %" for tenth in range(1, 10)]
    assert "buyer-messages" in lines[-1]
    assert "\x1b" not in done.stderr
    assert not done.stdout


def test_standard_output_holds_the_lines_and_nothing_else() -> None:
    done = _simulate("--shops", "1", "--rate", "1", "--hours", "0.1", "--out", "-")
    assert all(line.startswith('{"type":"') for line in done.stdout.splitlines())


def test_it_wants_one_place_to_go() -> None:
    neither = CliRunner().invoke(main, ["simulate"])
    both = CliRunner().invoke(main, ["simulate", "--kafka", "--out", "-"])
    assert neither.exit_code == both.exit_code == 2
    assert "--out FILE or --kafka" in neither.stderr


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["--rate", "0", "--out", "-"], "--rate"),
        (["--start", "tomorrow", "--out", "-"], "--start"),
        (["--speed", "2", "--out", "-"], "--speed"),
        (["--hours", "1", "--out", "/missing/file"], "missing"),
        (["--kafka", "--start", "2099-01-01", "--hours", "1"], "clock_skew"),
    ],
)
def test_wrong_options_end_with_2_and_name_the_option(args: list[str], word: str) -> None:
    done = CliRunner().invoke(main, ["simulate", *args])
    assert done.exit_code == 2, done.output
    assert word in done.stderr


def test_a_start_without_an_offset_is_beijing_time() -> None:
    args = ("--shops", "1", "--rate", "1", "--hours", "0.1", "--out", "-")
    assert (
        _simulate(*args, "--start", "2025-12-12T10:00").stdout
        == _simulate(*args, "--start", "2025-12-12T02:00:00Z").stdout
        != ""
    )
