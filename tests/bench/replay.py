"""`fenliu replay` of a million simulated events, as a command: seconds and peak memory."""

import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from streams.simulate import SimulationOptions, simulate
from tests.bench.harness import ROOT, BenchResult, Effort, Figure, Goal, peak_rss_bytes

EVENTS = 1_000_000
GOAL = Goal(30.0, at_least=False)


def run(effort: Effort) -> BenchResult:
    """Write the file once, and replay it several times."""
    events = effort.scaled(EVENTS)
    goal = None if effort.quick else GOAL
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "events.jsonl")
        _write_events(file, events)
        runs = [_replay(file) for _ in range(effort.few)]
    figures = [
        Figure(f"{events:,} events", "seconds of wall time", [wall_s for wall_s, _, _ in runs], goal),
        Figure(f"{events:,} events", "seconds of CPU", [cpu_s for _, cpu_s, _ in runs]),
        Figure(f"{events:,} events", "MiB at the peak", [peak_bytes / 2**20 for _, _, peak_bytes in runs]),
    ]
    return BenchResult("replay", "fenliu replay", figures)


def _write_events(file: Path, events: int) -> None:
    """A day of twenty shops of ten kinds, cut after so many events; about half of them are buyer messages."""
    options = SimulationOptions(rate=events / 2 / 86_400 * 1.1, replies="sticky")
    with file.open("wb") as lines:
        for record in islice(simulate(options), events):
            lines.write((record.value or b"") + b"\n")


def _replay(file: Path) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and peak resident bytes of the command, from start to exit."""
    assignments = file.with_suffix(".assignments")
    command = [sys.executable, "-c", "from streams.cli import main; main()", "replay", str(file)]
    started_s = time.perf_counter()
    with (
        assignments.open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.DEVNULL) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - started_s
    assert process.returncode == 0, f"{' '.join(command)} ended with {process.returncode}"
    assert assignments.stat().st_size, "no assignments"
    return wall_s, usage.ru_utime + usage.ru_stime, peak_rss_bytes(usage)
