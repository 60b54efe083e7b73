"""When the traffic for Kafka begins, and when its records are due."""

import time

import pytest

from streams.simulate import OptionsError, SimulationOptions, simulate
from streams.simulate.publisher import check_start, default_start_ms, groups

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("speed", "start_ms"),
    [
        (None, NOW_MS - 24 * HOUR_MS),  # as fast as possible: it ends now
        (0, NOW_MS - 24 * HOUR_MS),
        (1, NOW_MS),  # live
        (0.5, NOW_MS),  # slower than life
        (24, NOW_MS - 23 * HOUR_MS),  # takes an hour, and has caught up with the clock then
    ],
)
def test_the_default_start_never_gets_ahead_of_the_clock(speed: float | None, start_ms: int) -> None:
    assert default_start_ms(NOW_MS, 24 * HOUR_MS, speed) == start_ms
    check_start(start_ms, NOW_MS, 24 * HOUR_MS, speed, allowed_skew_s=60)


@pytest.mark.parametrize(
    ("start_ms", "speed"), [(NOW_MS, None), (NOW_MS, 2), (NOW_MS + 61_000, 1), (NOW_MS - 23 * HOUR_MS, 0)]
)
def test_a_start_that_would_run_ahead_of_the_clock_is_refused(start_ms: int, speed: float | None) -> None:
    with pytest.raises(OptionsError, match="clock_skew"):
        check_start(start_ms, NOW_MS, 24 * HOUR_MS, speed, allowed_skew_s=60)


def test_records_are_due_as_event_time_passes() -> None:
    options = SimulationOptions(shops=2, rate=5, hours=0.5, replies="sticky")
    began_s = time.monotonic()
    cut = list(groups(simulate(options), speed=10))
    assert [record for _, group in cut for record in group] == list(simulate(options))
    first_s = cut[0][0]
    assert first_s == pytest.approx(began_s, abs=5)
    for due_s, group in cut:
        assert due_s - first_s == pytest.approx((group[0].at_ms - options.start_ms) / 10_000, abs=1e-3)
        assert group[-1].at_ms - group[0].at_ms <= 100  # 10 ms of wall time


def test_at_full_speed_records_go_in_groups_of_a_bounded_size() -> None:
    options = SimulationOptions(shops=2, rate=5, hours=0.5, replies="sticky")
    sizes = [len(group) for _, group in groups(simulate(options), speed=None)]
    assert set(sizes[:-1]) == {2000}
