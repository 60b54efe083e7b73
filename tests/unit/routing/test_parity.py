"""The router decides as an independent, naive reading of the rules does, event for event and field for field."""

import pytest
from hypothesis import HealthCheck, given, settings

from streams.routing import Router
from tests.reference.model import ReferenceRouter
from tests.reference.traffic import Item, event_sequences, play, random_events


@pytest.mark.parametrize("seed", range(300))
def test_random_traffic_is_decided_as_the_reference_decides_it(seed: int) -> None:
    items = random_events(seed, 120, ticks=True)
    assert play(Router(), items) == play(ReferenceRouter(), items)


@given(event_sequences(ticks=True))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_sequence_of_events_tells_the_two_apart(items: list[Item]) -> None:
    assert play(Router(), items) == play(ReferenceRouter(), items)
