"""What a decision costs as remembered buyers grow: a worker's memory fills, the price of a message should not.

Each size in a child process. The buyers who come back are spread over all that are remembered, the worst for caches.
"""

from tests.bench.harness import BenchResult, Effort, Figure, in_child

BUYERS = (10_000, 100_000, 1_000_000, 10_000_000)
KINDS = {"returning": "a buyer who comes back", "new": "a new buyer"}


def run(effort: Effort) -> BenchResult:
    """All sizes take turns, but for the largest, which takes minutes and runs once."""
    found: dict[int, list[dict[str, float]]] = {effort.scaled(buyers): [] for buyers in BUYERS}
    *usual, largest = found
    for _ in range(effort.few):
        for buyers in usual:
            found[buyers].append(in_child("population", "growth", str(buyers), ""))
    found[largest].append(in_child("population", "growth", str(largest), ""))
    figures = [
        Figure(f"{buyers:,} remembered buyers: {what}", "µs of CPU a decision", [each[kind] for each in runs])
        for kind, what in KINDS.items()
        for buyers, runs in found.items()
    ]
    return BenchResult("growth", "A decision as remembered buyers grow", figures)
