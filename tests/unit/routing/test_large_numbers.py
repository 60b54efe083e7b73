"""Virtual times (S2) have no bound: a busy agent's steps grow with the buyers who wait for it."""

import pytest

from schemas.events import AgentStatus, BuyerMessage
from streams.routing import Router
from tests.reference.shops import config_change

WAITING = 200_000
"""Of so many buyers of one agent of weight 1 the steps add up to more than 2**64."""


def message(number: int) -> BuyerMessage:
    return BuyerMessage(event_id=f"m{number}", shop_id="s", buyer_id=f"b{number}", occurred_at_ms=number)


def online(agent_id: str, at_ms: int) -> AgentStatus:
    return AgentStatus(event_id=f"s{at_ms}", shop_id="s", agent_id=agent_id, occurred_at_ms=at_ms, status="online")


@pytest.fixture(scope="module")
def crowded() -> Router:
    """A shop whose only agent answers nobody."""
    router = Router()
    router.apply(config_change("s", 0, {"agents": [{"agent_id": "an", "weight": 1}]}))
    router.apply(online("an", 0))
    for number in range(WAITING):
        router.apply(message(number))
    return router


def test_s2_a_virtual_time_above_64_bits_is_written_and_read(crowded: Router) -> None:
    agent = crowded._shops["s"].agents["an"]
    assert agent.virtual_times["all"] > 2**64
    assert len(agent.waiting) == WAITING
    restored = Router()
    for change in crowded.take_changes():
        restored.load(*change)
    restored.finish_load()
    assert restored._shops["s"].agents["an"].virtual_times == agent.virtual_times
    for event in (message(WAITING), online("bo", WAITING + 1), message(WAITING + 2), message(WAITING + 3)):
        assert restored.apply(event) == crowded.apply(event)
    assert restored.take_changes() == crowded.take_changes()
