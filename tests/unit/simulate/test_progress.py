"""What a simulation says while it runs."""

import pytest

from streams.simulate import SimulationOptions, simulate
from streams.simulate.progress import LINE_EVERY_S, Counts


def test_paced_traffic_tells_by_the_clock_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Catches: two hours of silence until a tenth of a day has passed."""
    clock = [0.0]
    counts = Counts(SimulationOptions(shops=1, rate=1, hours=0.1, replies="sticky"), lambda: clock[0])
    records = list(simulate(counts.options))
    for number, _ in enumerate(counts.watch(records, paced=True), start=1):
        clock[0] = number * 3.5 * LINE_EVERY_S / len(records)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("%")[1] for line in lines] == ["%"] * 3
    assert lines[0].endswith(" records")
    assert counts.total == len(records)
