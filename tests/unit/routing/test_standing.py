"""What is counted as agents come, go and fill up is what counting anew gives, after every event."""

import pytest

from schemas.events import AgentReply, AgentStatus, BuyerMessage
from streams.routing import Router
from streams.routing.state import Shop
from tests.reference.traffic import play, random_events


def test_s1_busy_is_more_than_the_threshold_waiting() -> None:
    router = Router()
    router.apply(AgentStatus(event_id="s", shop_id="s", agent_id="an", occurred_at_ms=0, status="online"))
    busy = []
    for number in range(1, 7):
        router.apply(BuyerMessage(event_id="m", shop_id="s", buyer_id=f"b{number}", occurred_at_ms=number))
        busy.append(router.gauges().busy_agents)
    for number in range(1, 4):
        router.apply(AgentReply(event_id="r", shop_id="s", agent_id="an", buyer_id=f"b{number}", occurred_at_ms=9))
        busy.append(router.gauges().busy_agents)
    assert busy == [0, 0, 0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("seed", range(12))
def test_the_counts_are_those_of_counting_anew(seed: int) -> None:
    router = Router()
    for item in random_events(seed, 150, ticks=True):
        play(router, [item])
        for shop in router._shops.values():
            check(shop)
        gauges, shops = router.gauges(), router._shops.values()
        assert gauges.unattended_shops == sum(shop.available_count == 0 for shop in shops if not shop.blank)
        assert gauges.busy_agents == sum(agent.busy for shop in shops for agent in shop.agents.values())


def check(shop: Shop) -> None:
    agents = shop.agents.values()
    assert shop.available_count == sum(agent.online and not agent.suspended for agent in agents)
    assert shop.message_pool.with_room == {agent.agent_id for agent in agents if agent.has_room}
    for pool in shop.pools.values():
        members = [agent for agent in agents if pool.has_member(agent.agent_id)]
        assert all(agent.pools.count(pool) == (agent in members) for agent in agents)
        assert pool.eligible_count == sum(agent.available and agent.weight > 0 for agent in members)
        assert pool.candidates.ids == sorted(agent.agent_id for agent in members if agent.candidate)
        assert pool.roomy.ids == sorted(agent.agent_id for agent in members if agent.candidate and agent.has_room)
    check_message_pool(shop)


def check_message_pool(shop: Shop) -> None:
    """Each waiting buyer stands in the lines of those whom it knows; only a contact out of the window has lost it."""
    lines = shop.message_pool
    waiting = [buyer for buyer in shop.buyers.values() if buyer.in_pool]
    assert {buyer_id for _, buyer_id in lines.everyone.places()} == {buyer.buyer_id for buyer in waiting}
    assert lines.reachable == lines.with_room & lines.acquaintances.keys()
    window_ms = shop.plan.recent_window_ms
    for agent_id, known in lines.acquaintances.items():
        by_contact = {buyer_id for _, buyer_id in known.by_contact.places()}
        dedicated = {buyer_id for _, buyer_id in known.dedicated.places()}
        assert by_contact or dedicated
        assert by_contact <= {buyer.buyer_id for buyer in waiting if buyer.contact_id == agent_id}
        assert dedicated == {each.buyer_id for each in waiting if shop.plan.dedicated.get(each.buyer_id) == agent_id}
    for buyer in waiting:
        if buyer.contact_id is not None and (window_ms is None or shop.clock_ms - buyer.contact_ms <= window_ms):
            assert (buyer.first_seq, buyer.buyer_id) in lines.acquaintances[buyer.contact_id].by_contact.places()
