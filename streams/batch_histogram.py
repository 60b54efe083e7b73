"""A Prometheus histogram that is fed once a batch."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class BatchHistogram(Collector):
    """A histogram that takes the values of a batch at once: sorting them costs a fraction of one call for each."""

    def __init__(self, name: str, documentation: str, buckets: Sequence[float], registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = tuple(buckets)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe_all(self, values: Iterable[float]) -> None:
        """Count the values of a batch."""
        ordered = sorted(values)
        if not ordered:
            return
        ends = [0, *(bisect_right(ordered, bound) for bound in self._bounds), len(ordered)]
        self._counts = [count + end - start for count, (start, end) in zip(self._counts, pairwise(ends), strict=True)]
        self._sum += sum(ordered)

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """The histogram as it stands."""
        counts, total, buckets = self._counts, 0, []
        for bound, count in zip((*self._bounds, float("inf")), counts, strict=True):
            total += count
            buckets.append((floatToGoString(bound), float(total)))  # type: ignore[no-untyped-call]
        family = HistogramMetricFamily(self._name, self._documentation)
        family.add_metric([], buckets=buckets, sum_value=self._sum)
        return [family]
