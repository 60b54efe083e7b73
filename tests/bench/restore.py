"""State as changelog records and back: keys a second out of `take_changes`, and into `load` with `finish_load`."""

import tempfile
from pathlib import Path

from tests.bench.harness import BenchResult, Effort, Figure, Goal, in_child

BUYERS = 1_000_000
GOAL = Goal(150_000, at_least=True)


def run(effort: Effort) -> BenchResult:
    """Build the state once, batch by batch, and restore it several times, each in a fresh process."""
    buyers = effort.scaled(BUYERS)
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "changelog"))
        built = in_child("population", "remembered", str(buyers), file)
        loads = [in_child("population", "load", "0", file) for _ in range(effort.few)]
    figures = [
        Figure(
            "take_changes in batches of 1,000 events", "keys/s of CPU", [built["changed_keys"] / built["changes_cpu_s"]]
        ),
        Figure(
            f"load and finish_load of {buyers:,} buyers",
            "keys/s of CPU",
            [load["loaded_keys"] / load["load_cpu_s"] for load in loads],
            GOAL,
        ),
    ]
    return BenchResult("restore", "State out and in, without Kafka", figures)
