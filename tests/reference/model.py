"""The reference router: events, timers and settings applied to the naive state (section 8).

`ReferenceRouter` offers what the product's router offers to a test: `apply` and `fire_timers`.
"""

from __future__ import annotations

from typing import assert_never

from schemas.decisions import AgentPresence, Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfigChange
from tests.reference import decide, share
from tests.reference.agents import apply_status, end_window, fall_silent, go_offline, left_in_again
from tests.reference.buyers import apply_message, apply_reply
from tests.reference.presence import publish
from tests.reference.state import Shop

Event = BuyerMessage | AgentStatus | AgentReply | ShopConfigChange
Decision = Assignment | AgentPresence


class ReferenceRouter:
    """All shops, each for itself."""

    def __init__(self) -> None:
        self.shops: dict[str, Shop] = {}

    def apply(self, event: Event) -> list[Decision]:
        """O1, O3, F8: the shop's timers up to the event's time, then the event at the shop's clock."""
        shop = self.shops.setdefault(event.shop_id, Shop(event.shop_id))
        decisions = run_timers(shop, event.occurred_at_ms)
        if shop.forgotten:  # T6
            shop = self.shops[event.shop_id] = Shop(event.shop_id)
        shop.clock_ms = max(shop.clock_ms, event.occurred_at_ms)
        if isinstance(event, BuyerMessage):
            decisions += apply_message(shop, event)
        elif isinstance(event, AgentStatus):
            decisions += apply_status(shop, event)
        elif isinstance(event, AgentReply):
            decisions += apply_reply(shop, event)
        elif isinstance(event, ShopConfigChange):
            decisions += apply_config(shop, event)
        else:
            assert_never(event)
        return decisions + run_timers(shop, shop.clock_ms)  # deadlines already past fire at the clock

    def fire_timers(self, until_ms: int) -> list[Decision]:
        """O1, F8: what is due at or before `until_ms`, shop after shop in the order of their ids."""
        return [decision for shop_id in sorted(self.shops) for decision in run_timers(self.shops[shop_id], until_ms)]


# -- timers ----------------------------------------------------------------------------------------------------------


def run_timers(shop: Shop, until_ms: int) -> list[Decision]:
    """O1: the smallest (deadline, kind, id) first, each at its deadline, until none is due."""
    decisions: list[Decision] = []
    while True:
        due = [timer for timer in shop.timers() if timer[0] <= until_ms]
        if not due:
            return decisions
        deadline_ms, rank, owner_id, kind = due[0]
        if rank == 3:
            forget(shop, owner_id, kind)
            continue
        shop.clock_ms = max(shop.clock_ms, deadline_ms)
        if kind == "window":
            decisions += end_window(shop, shop.agents[owner_id])
        elif kind == "silence":
            decisions += fall_silent(shop, shop.agents[owner_id])
        elif kind == "expiry":
            del shop.buyers[owner_id]  # T5: drains nothing
            share.level(shop)
        else:
            decisions += decide.no_reply(shop, shop.buyers[owner_id])


def forget(shop: Shop, owner_id: str, kind: str) -> None:
    """T6: decides nothing and moves no clock."""
    if kind == "device":
        agent_id, *device = owner_id.split("\x1f")
        del shop.agents[agent_id].newest_of_device_ms[device[0], device[1]]
    elif kind == "agent":
        del shop.agents[owner_id]
        left_in_again(shop, owner_id)
        for of_agents in (shop.suspensions, shop.newest_of_account_ms, shop.no_reply_takes):
            of_agents.pop(owner_id, None)
        shop.virtual_times = {key: v for key, v in shop.virtual_times.items() if key[1] != owner_id}
    elif kind == "pool":
        del shop.retired_pools[owner_id], shop.pool_clocks[owner_id]
        shop.virtual_times = {key: v for key, v in shop.virtual_times.items() if key[0] != owner_id}
    else:
        shop.forgotten = True


# -- configs ---------------------------------------------------------------------------------------------------------


def retire_pools(shop: Shop) -> None:
    """T6: since when the config is without a pool, each tier one of its own (Y4)."""
    tiers = {1, *(agent.tier for agent in shop.config.agents)}
    configured = {name if tier == 1 else f"tier:{tier}\x1f{name}" for name in share.pools(shop) for tier in tiers}
    for name in shop.pool_clocks:
        if name not in configured:
            shop.retired_pools.setdefault(name, shop.clock_ms)
    for name in configured:
        shop.retired_pools.pop(name, None)


def apply_config(shop: Shop, event: ShopConfigChange) -> list[Decision]:
    """C1, L2, L5, L9, X2, Y8, F8: in force at once for everybody, then the agents in order of id, then one drain."""
    available_before = {agent_id for agent_id in shop.agents if shop.available(agent_id)}
    connected_before = {agent_id for agent_id in shop.agents if shop.connected(agent_id)}
    old, new = shop.config, event.settings
    shop.config, shop.version, shop.given = new, event.version, event.given is not None
    retire_pools(shop)
    if new.expect_heartbeats and not old.expect_heartbeats:
        shop.heartbeats_on_ms = event.occurred_at_ms
    if new.no_reply_reassign_s is not None and old.no_reply_reassign_s is None:
        shop.no_reply_on_ms = shop.clock_ms
        for buyer in shop.buyers.values():
            buyer.doublings = 0  # Y10
    for buyer in shop.buyers.values():
        if shop.group(buyer.group_id) is None:
            buyer.group_id = None  # Y8: it binds no more, also if it comes back
    for agent_id in shop.agents:
        if shop.connected(agent_id):
            shop.agents[agent_id].window = None  # L5
    share.level(shop)
    decisions: list[Decision] = []
    for agent_id in sorted(shop.agents):
        agent = shop.agents[agent_id]
        if agent_id in connected_before and not shop.connected(agent_id):
            decisions += go_offline(shop, agent, shop.clock_ms, 0)  # L2, F7
        else:
            decisions += publish(shop, agent_id, shop.clock_ms)
        if shop.available(agent_id) and agent_id not in available_before:
            left_in_again(shop, agent_id)  # Y10
    return [*decisions, *decide.drain(shop)]
