"""What is counted as agents come, go and fill up is what counting anew gives, after every event."""

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import Self

import pytest

from schemas.events import AgentReply, AgentStatus, BuyerMessage
from streams.routing import Router
from streams.routing.state import Agent, Shop
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


@dataclass(frozen=True)
class Standing:
    """What an agent is to the rules, by their definitions and from nothing that the router keeps for quickness."""

    busy: bool
    online: bool
    available: bool
    eligible: bool
    candidate: bool
    has_room: bool

    @classmethod
    def of(cls, shop: Shop, agent: Agent, pending: int) -> Self:
        config, weight, limit = (
            shop.plan.config,
            shop.plan.weight(agent.agent_id),
            shop.plan.max_pending(agent.agent_id),
        )
        connected = any(
            device.connected and (kind == "pc" or config.mobile_diversion)
            for (kind, _), device in agent.devices.items()
        )
        online = connected or agent.window is not None  # L2, L3
        available = online and not agent.suspended  # section 2
        full = limit is not None and pending >= limit  # X1
        return cls(
            busy=pending > config.busy_threshold,  # S1
            online=online,
            available=available,
            eligible=available and weight > 0,
            candidate=available and weight > 0 and not full,  # S2
            has_room=online and pending < config.busy_threshold and not full,  # T4
        )


@pytest.mark.parametrize("seed", range(12))
def test_what_is_kept_is_what_follows_from_the_definitions(seed: int) -> None:
    router = Router()
    for item in random_events(seed, 150, ticks=True):
        play(router, [item])
        shops = router._shops.values()
        standings = {shop.shop_id: check(shop) for shop in shops}
        gauges = router.gauges()
        assert gauges.unattended_shops == sum(
            not any(agent.available for agent in standings[shop.shop_id].values()) for shop in shops if not shop.blank
        )
        assert gauges.busy_agents == sum(agent.busy for agents in standings.values() for agent in agents.values())


def check(shop: Shop) -> dict[str, Standing]:
    """Compare what a shop keeps with what follows from its agents, which is returned by their ids."""
    pending = Counter(buyer.owner_id for buyer in shop.buyers.values())  # T1
    now = {agent_id: Standing.of(shop, agent, pending[agent_id]) for agent_id, agent in shop.agents.items()}
    kept = [field.name for field in fields(Standing)]
    for agent_id, agent in shop.agents.items():
        assert {name: getattr(agent, name) for name in kept} == asdict(now[agent_id]), agent_id
    assert shop.available_count == sum(agent.available for agent in now.values())
    assert shop.message_pool.with_room == {agent_id for agent_id, agent in now.items() if agent.has_room}
    for pool in shop.pools.values():
        members = {agent_id: agent for agent_id, agent in now.items() if pool.has_member(shop.agents[agent_id])}
        assert all(agent.pools.count(pool) == (agent_id in members) for agent_id, agent in shop.agents.items())
        assert pool.eligible_count == sum(agent.eligible for agent in members.values())
        assert pool.candidates.ids == sorted(agent_id for agent_id, agent in members.items() if agent.candidate)
        roomy = sorted(agent_id for agent_id, agent in members.items() if agent.candidate and agent.has_room)
        assert pool.roomy.ids == roomy
    check_message_pool(shop)
    check_what_holds(shop)
    return now


def check_what_holds(shop: Shop) -> None:
    """T6: what keeps an agent from being forgotten, and that the others wait for it."""
    contacts = Counter(buyer.contact_id for buyer in shop.buyers.values())
    queued = {(agent_id, kind, device_id) for _, agent_id, kind, device_id in shop.idle}
    for agent_id, agent in shop.agents.items():
        connected = {key: device for key, device in agent.devices.items() if device.connected}
        assert agent.connected == connected
        assert agent.connected_pcs == sum(kind == "pc" for kind, _ in connected)
        assert agent.contacts == contacts[agent_id]
        held = connected or agent.window or agent.waiting or agent.contacts or agent_id in shop.plan.named
        assert shop.holds(agent) == bool(held)
        assert held or (agent_id, "", "") in queued
        assert all((agent_id, *key) in queued for key in agent.devices.keys() - connected.keys())


def check_message_pool(shop: Shop) -> None:
    """Each waiting buyer stands in the lines of those whom it knows; only a contact out of the window has lost it."""
    lines = shop.message_pool
    waiting = [buyer for buyer in shop.buyers.values() if buyer.in_pool]
    assert {buyer_id for *_, buyer_id in lines.everyone.places()} == {buyer.buyer_id for buyer in waiting}
    assert lines.reachable == lines.with_room & lines.acquaintances.keys()
    window_ms = shop.plan.recent_window_ms
    for agent_id, known in lines.acquaintances.items():
        by_contact = {buyer_id for *_, buyer_id in known.by_contact.places()}
        dedicated = {buyer_id for *_, buyer_id in known.dedicated.places()}
        assert by_contact or dedicated
        assert by_contact <= {buyer.buyer_id for buyer in waiting if buyer.contact_id == agent_id}
        assert dedicated == {each.buyer_id for each in waiting if shop.plan.dedicated.get(each.buyer_id) == agent_id}
    for buyer in waiting:
        if buyer.contact_id is not None and (window_ms is None or shop.clock_ms - buyer.contact_ms <= window_ms):
            assert (-buyer.priority, buyer.first_seq, buyer.buyer_id) in lines.acquaintances[
                buyer.contact_id
            ].by_contact.places()
