"""The router decides as an independent, naive reading of the rules does, event for event and field for field."""

from random import Random
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings

from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfig, ShopConfigChange
from streams.routing import Router
from tests.reference.model import ReferenceRouter
from tests.reference.traffic import Item, event_sequences, play, random_events

Policy = Literal["qianniu", "pinduoduo"]


@pytest.mark.parametrize("seed", range(300))
def test_random_traffic_is_decided_as_the_reference_decides_it(seed: int) -> None:
    items = random_events(seed, 120, ticks=True)
    assert play(Router(), items) == play(ReferenceRouter(), items)


@pytest.mark.parametrize("seed", range(1000, 1300))
def test_random_traffic_of_section_13_is_decided_as_the_reference_decides_it(seed: int) -> None:
    items = random_events(seed, 120, ticks=True, section_13=True)
    assert play(Router(), items) == play(ReferenceRouter(), items)


@given(event_sequences(ticks=True, section_13=True))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_sequence_of_events_of_section_13_tells_the_two_apart(items: list[Item]) -> None:
    assert play(Router(), items) == play(ReferenceRouter(), items)


@given(event_sequences(ticks=True))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_sequence_of_events_tells_the_two_apart(items: list[Item]) -> None:
    assert play(Router(), items) == play(ReferenceRouter(), items)


@pytest.mark.parametrize("policy", ["qianniu", "pinduoduo"])
@pytest.mark.parametrize("seed", range(30))
def test_a_crowded_pool_is_drained_as_the_reference_drains_it(
    seed: int, policy: Literal["qianniu", "pinduoduo"]
) -> None:
    """All are about the threshold, so whoever just lost a buyer is favoured beside those with room (T4, R1, S2)."""
    rng = Random(seed)  # noqa: S311
    config = ShopConfig(policy=policy, busy_threshold=rng.randint(1, 3))
    buyers, agents = [f"b{number}" for number in range(30)], ["an", "bo", "chen"]
    items: list[Item] = [ShopConfigChange(shop_id="s", occurred_at_ms=0, settings=config, version="v", given=b"{}")]
    for buyer_id in buyers:  # whom they know is never there
        items.append(AgentReply(event_id="r", shop_id="s", agent_id="gone", buyer_id=buyer_id, occurred_at_ms=1))
        items.append(BuyerMessage(event_id="m", shop_id="s", buyer_id=buyer_id, occurred_at_ms=2))
    items += [
        AgentStatus(event_id="s", shop_id="s", agent_id=agent_id, occurred_at_ms=3, status="online")
        for agent_id in agents
    ]
    for number in range(150):
        agent_id, now_ms = rng.choice(agents), 4 + number
        asking, answered = rng.choice(buyers[:12]), rng.choice(buyers[:12])
        items.append(
            BuyerMessage(
                event_id=f"a{number}",
                shop_id="s",
                buyer_id=asking,
                occurred_at_ms=now_ms,
                addressed_agent_id=agent_id,
            )
        )
        if number % 3 == 0:
            items.append(
                AgentReply(event_id="t", shop_id="s", agent_id=agent_id, buyer_id=answered, occurred_at_ms=now_ms)
            )
    decided = play(Router(), items)
    assert decided == play(ReferenceRouter(), items)
    rules = {decision.rule for decisions in decided for decision in decisions if isinstance(decision, Assignment)}
    assert "pool_drained" in rules
