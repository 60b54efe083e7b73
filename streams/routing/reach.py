"""Whom of a message pool a drain can hand over (T4), without a look at those whom it cannot."""

from streams.routing.message_pool import Place
from streams.routing.plan import ALL_AGENTS
from streams.routing.share import tiers
from streams.routing.state import Agent, Shop


def next_to_drain(shop: Shop, favoured: str | None, passed: Place | None) -> Place | None:
    """The first place after `passed` of a buyer whom somebody may be able to take: any agent, or one that it knows.

    Room only shrinks during a drain, so whom nobody could take before nobody can take now.
    """
    waiting = shop.message_pool
    if not len(waiting) or not (waiting.with_room or favoured is not None):
        return None
    if any(len(pool_.roomy) for pool_ in tiers(shop, ALL_AGENTS)) or (
        favoured is not None and shop.agents[favoured].candidate
    ):
        return waiting.everyone.first_after(passed)
    reachable = waiting.reachable if favoured is None else waiting.reachable | {favoured}
    places = [_first_acquaintance(shop, shop.agents[agent_id], passed) for agent_id in list(reachable)]
    return min([place for place in places if place is not None], default=None)


def _first_acquaintance(shop: Shop, agent: Agent, passed: Place | None) -> Place | None:
    """The first in the pool who comes to this agent as its last contact or dedicated agent; it has room for one."""
    waiting = shop.message_pool
    known = waiting.acquaintances.get(agent.agent_id)
    if known is None or (agent.limit is not None and len(agent.waiting) >= agent.limit):
        return None
    by_contact = None
    if agent.available or shop.plan.config.suspended_keeps_recent:
        while (by_contact := known.by_contact.first_after(passed)) is not None and _expired(shop, by_contact[-1]):
            waiting.contact_expired(by_contact[-1], agent.agent_id)
    dedicated = known.dedicated.first_after(passed) if agent.available else None
    if by_contact is None or dedicated is None:
        return dedicated if by_contact is None else by_contact
    return min(by_contact, dedicated)


def _expired(shop: Shop, buyer_id: str) -> bool:
    """Q2, P1: whether the buyer's last contact is out of the window."""
    window_ms = shop.plan.recent_window_ms
    return window_ms is not None and shop.clock_ms - shop.buyers[buyer_id].contact_ms > window_ms
