"""Memory: bytes for each remembered buyer, waiting buyer and agent, and the worker's process with a million buyers.

Each in a child process that does nothing else; what counts is its resident memory, before and after.
"""

import tempfile
from pathlib import Path

from tests.bench.harness import BenchResult, Effort, Figure, Goal, in_child

BUYERS = 1_000_000
WAITING = 200_000
AGENTS = 100_000
GIB = 2**30


def run(effort: Effort) -> BenchResult:
    """Measure once each: memory hardly differs from run to run."""
    goal = None if effort.quick else Goal(1.0, at_least=False)
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "changelog"))
        remembered = in_child("population", "remembered", str(effort.scaled(BUYERS)), file)
        restored = in_child("population", "load", "0", file)
        waiting = in_child("population", "waiting", str(effort.scaled(WAITING)), file)
        agents = in_child("population", "agents", str(effort.scaled(AGENTS)), file)
    buyers = int(remembered["buyers"])
    figures = [
        Figure("remembered buyer, answered", "bytes", [_each(remembered, "buyers")]),
        Figure("remembered buyer, after a restore", "bytes", [_each(restored, "buyers")]),
        Figure("waiting buyer", "bytes", [_each(waiting, "buyers")]),
        Figure("agent with one device, online", "bytes", [_each(agents, "agents")]),
        Figure(f"process with {buyers:,} remembered buyers", "GiB", [remembered["after_bytes"] / GIB], goal),
        Figure(f"process with {buyers:,} restored buyers", "GiB", [restored["after_bytes"] / GIB], goal),
    ]
    return BenchResult("memory", "Memory", figures)


def _each(figures: dict[str, float], what: str) -> float:
    return (figures["after_bytes"] - figures["before_bytes"]) / figures[what]
