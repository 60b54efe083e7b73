"""Repeats, medians, spread, and on what machine: what every bench needs and no more.

A bench is a function of `Effort` that gives figures. A figure keeps all its values, so the JSON holds
what was measured.
"""

import gc
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.kafka.available import find_java

ROOT = Path(__file__).parents[2]
PACKAGES = ("fenliu", "msgspec", "orjson", "aiokafka", "faust-streaming")


class Goal(msgspec.Struct, frozen=True):
    """What a median must reach, or must not go above."""

    limit: float
    at_least: bool

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {number(self.limit)}"

    def met_by(self, value: float) -> bool:
        """Whether a median is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing measured several times."""

    what: str
    unit: str
    values: list[float]
    goal: Goal | None = None

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between these lies the middle half of the values."""
        if len(self.values) == 1:
            return self.values[0], self.values[0]
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high


class BenchResult(msgspec.Struct, frozen=True):
    """What one bench found."""

    name: str
    title: str
    figures: list[Figure]


class Report(msgspec.Struct, frozen=True):
    """One run of `python -m tests.bench`, as its JSON file holds it."""

    date: str
    command: str
    quick: bool
    environment: dict[str, str]
    results: list[BenchResult]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure. `--quick` shows that a bench works; its figures mean little."""

    quick: bool

    @property
    def repeats(self) -> int:
        """How often each thing is measured, after one run that only warms up."""
        return 2 if self.quick else 7

    @property
    def few(self) -> int:
        """How often what takes many seconds is measured."""
        return 1 if self.quick else 3

    def scaled(self, count: int) -> int:
        """A number of events or keys."""
        return count // 50 if self.quick else count


@dataclass(slots=True)
class Stopwatch:
    """Seconds on the wall and of this process's CPU, summed over what ran inside `timed`."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure the body."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        yield
        self.cpu_s += time.process_time() - cpu_s
        self.wall_s += time.perf_counter() - wall_s


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Keep what exists (the prepared events) out of the garbage collector's sight; it stays on for the rest."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def repeat(measure: Callable[[], float], times: int) -> list[float]:
    """Measure once to warm up and then several times."""
    measure()
    return [measure() for _ in range(times)]


def in_child(module: str, *arguments: str) -> dict[str, float]:
    """Run a module of the benches in a process of its own, for its memory; it prints one JSON object."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{module}", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    figures = json.loads(done.stdout)
    assert isinstance(figures, dict)
    return figures


def rss_bytes() -> int:
    """The memory that this process has resident now; where only the peak is known, that."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return peak_rss_bytes(resource.getrusage(resource.RUSAGE_SELF))


def peak_rss_bytes(usage: resource.struct_rusage) -> int:
    """`ru_maxrss` is in KiB, but on macOS in bytes."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def environment() -> dict[str, str]:
    """The machine and the versions."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cpus": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory_gib": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f}",
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "java": _java_version(),
        "commit": _commit(),
        **versions,
    }


def load_average() -> str:
    """How many processes wanted to run in the last minute: above the number of CPUs, wall times say little."""
    return f"{os.getloadavg()[0]:.1f}"


def now() -> str:
    """The date of a run, ISO 8601, to the second."""
    return datetime.now(tz=UTC).isoformat(timespec="seconds")


def number(value: float) -> str:
    """Three digits that matter, thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _java_version() -> str:
    """Of what runs the brokers and Kafka Streams."""
    java = find_java()
    if java is None:
        return "none"
    done = subprocess.run([java, "-version"], check=True, capture_output=True, text=True)
    return done.stderr.splitlines()[0]


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
