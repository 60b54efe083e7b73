"""When buyers write: the daily double peak (10 to 12 and 20 to 22 o'clock), and one promotion.

It knows the hour of the day and nothing of shops, buyers or agents.
"""

import math
from bisect import bisect_right
from itertools import accumulate

from streams.simulate.durations import Draw
from streams.simulate.options import DAY_MS, HOUR_MS

MINUTE_MS = 60_000

HOURLY = (
    0.30, 0.15, 0.07, 0.04, 0.04, 0.05, 0.10, 0.25, 0.50, 0.90, 1.50, 1.75,
    1.45, 1.00, 1.05, 1.10, 1.05, 0.90, 0.95, 1.15, 1.80, 1.95, 1.60, 0.70,
)  # fmt: skip
"""How busy the shops are at each full hour of local time, against the mean of a day; between the hours it is linear."""

_SPIKE_HEIGHT = 3.0
_SPIKE_DECAY_MS = 20 * MINUTE_MS


def spike_instant(start_ms: int, end_ms: int, utc_offset_ms: int) -> int:
    """When the promotion begins: the first 20 o'clock that leaves room on both sides, or 10 o'clock, or mid-way."""
    room_ms = (end_ms - start_ms) // 20
    for hour in (20, 10):
        day_ms = (start_ms + utc_offset_ms) // DAY_MS * DAY_MS - utc_offset_ms
        while day_ms < end_ms:
            at_ms = day_ms + hour * HOUR_MS
            if start_ms + room_ms <= at_ms <= end_ms - room_ms:
                return at_ms
            day_ms += DAY_MS
    return (start_ms + end_ms) // 2


class Curve:
    """The expected share of a run's conversations that have begun, minute by minute.

    Args:
        start_ms: the run's first instant.
        end_ms: the instant after its last.
        utc_offset_ms: local time less UTC.
        spike_ms: when the promotion begins, or None for a shop that takes no part.
    """

    __slots__ = ("cumulative", "minute_ms", "start_ms")

    def __init__(self, start_ms: int, end_ms: int, utc_offset_ms: int, spike_ms: int | None) -> None:
        self.start_ms = start_ms
        # Short runs get bins of equal length, too, and none reaches over the end.
        bins = max(1, math.ceil((end_ms - start_ms) / MINUTE_MS))
        self.minute_ms = (end_ms - start_ms) / bins
        middles = [start_ms + (index + 0.5) * self.minute_ms for index in range(bins)]
        weights = [_daily(at_ms + utc_offset_ms) * _spike(at_ms, spike_ms) for at_ms in middles]
        total = sum(weights)
        self.cumulative = [0.0, *(value / total for value in accumulate(weights))]


def _daily(local_ms: float) -> float:
    hour, rest = divmod(local_ms % DAY_MS / HOUR_MS, 1)
    this, following = HOURLY[int(hour)], HOURLY[(int(hour) + 1) % 24]
    return this + (following - this) * rest


def _spike(at_ms: float, spike_ms: int | None) -> float:
    if spike_ms is None or at_ms < spike_ms:
        return 1.0
    return 1.0 + _SPIKE_HEIGHT * math.exp(-(at_ms - spike_ms) / _SPIKE_DECAY_MS)


class Arrivals:
    """The instants at which conversations begin in one shop: a Poisson process along the curve."""

    __slots__ = ("_curve", "_done", "_expected", "_random")

    def __init__(self, curve: Curve, expected: float, random: Draw) -> None:
        self._curve = curve
        self._expected = expected
        self._random = random
        self._done = 0.0

    def next_ms(self) -> int | None:
        """The next instant, or None after the run's end."""
        self._done -= math.log(1.0 - self._random()) / self._expected
        cumulative = self._curve.cumulative
        if self._done >= cumulative[-1]:
            return None
        index = bisect_right(cumulative, self._done) - 1
        low, high = cumulative[index], cumulative[index + 1]
        rest = (self._done - low) / (high - low)
        return self._curve.start_ms + int((index + rest) * self._curve.minute_ms)
