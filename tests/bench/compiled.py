"""The bench of the pure core once more, on the core that mypyc compiled (`tests.compiled`)."""

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from tests import compiled
from tests.bench.harness import BenchResult, Effort, Report


def run(effort: Effort) -> BenchResult:
    """Measure every scene of `core` in a Python that takes the compiled modules; no figures without a C compiler."""
    title = "The pure core on one core, compiled with mypyc"
    if compiled.missing_tools():
        return BenchResult("compiled", f"{title}: not measured, {compiled.missing_tools()} not found", [])
    place = compiled.compiled_checkout()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "core.json"
        command = [sys.executable, "-m", "tests.bench", "core", "--json", str(file), *(["--quick"] * effort.quick)]
        subprocess.run(command, cwd=place, env=compiled.environment(), check=True, stdout=subprocess.DEVNULL)
        (core,) = msgspec.json.decode(file.read_bytes(), type=Report).results
    return BenchResult("compiled", title, core.figures)
