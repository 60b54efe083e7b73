"""How long people take: distributions as tables, so that a draw costs one `random()` and is the same everywhere.

The standard library's own variates are avoided: how many draws they make has changed between Python versions.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import TypeVar

_STEPS = 1024
T = TypeVar("T")
Draw = Callable[[], float]
"""`Random.random`: uniform in [0, 1)."""


class Durations:
    """A distribution of durations in milliseconds."""

    __slots__ = ("_table", "mean_ms")

    def __init__(self, table: Sequence[float]) -> None:
        self._table = tuple(max(1, round(value)) for value in table)
        self.mean_ms = sum(self._table) / _STEPS

    def draw(self, random: Draw) -> int:
        """One duration in milliseconds, at least 1."""
        return self._table[int(random() * _STEPS)]


def lognormal(median_s: float, sigma: float) -> Durations:
    """Most take about the median, some take far longer: how people answer."""
    quantile = NormalDist(math.log(median_s * 1000), sigma).inv_cdf
    return Durations([math.exp(quantile((step + 0.5) / _STEPS)) for step in range(_STEPS)])


def exponential(mean_s: float) -> Durations:
    """Time to the next of events that know nothing of each other: network drops, interruptions."""
    return Durations([-math.log(1 - (step + 0.5) / _STEPS) * mean_s * 1000 for step in range(_STEPS)])


def uniform(low_s: float, high_s: float) -> Durations:
    """Anything between two bounds alike."""
    return Durations([(low_s + (high_s - low_s) * (step + 0.5) / _STEPS) * 1000 for step in range(_STEPS)])


def pick(random: Draw, items: Sequence[T]) -> T:
    """One of `items`, each alike."""
    return items[int(random() * len(items))]
