"""New settings take effect (C1): the plan changes, then agents in order of id, then the pool drains once (F8)."""

from schemas.shop import ShopConfigChange
from streams.routing.assign import drain_message_pool
from streams.routing.devices import is_connected
from streams.routing.plan import Plan
from streams.routing.presence import announce, announce_offline, believe_anew, set_deadline
from streams.routing.standing import adopt_plan
from streams.routing.state import NEVER_MS, Shop
from streams.routing.ties import unbind
from streams.routing.waiting import set_no_reply_timer


def apply_config(shop: Shop, change: ShopConfigChange) -> None:
    """Replace the shop's settings. A tombstone brings the defaults back.

    L2: whether mobile devices count may have changed. The router knows of all agents before it acts on the first.
    """
    adopt(shop, change, heartbeats_since_ms=change.occurred_at_ms, no_reply_since_ms=shop.clock_ms)
    agents = [shop.agents[agent_id] for agent_id in sorted(shop.agents)]
    for agent in agents:
        if is_connected(shop, agent):
            agent.window = None  # L5
    for agent in [agent for agent in agents if believe_anew(shop, agent)]:
        if agent.presence == "offline":
            announce_offline(shop, agent, shop.clock_ms, 0)  # F7
        else:
            announce(shop, agent)
    set_timers(shop)
    drain_message_pool(shop)


def adopt(shop: Shop, change: ShopConfigChange, *, heartbeats_since_ms: int, no_reply_since_ms: int) -> None:
    """Plan anew, and note since when L9 and X2 are on: by the config's own time and by the shop's clock."""
    old, shop.plan = shop.plan, Plan(change.settings, change.version)
    if change.settings.expect_heartbeats and not old.config.expect_heartbeats:
        shop.heartbeats_since_ms = heartbeats_since_ms
    if shop.plan.no_reply_ms is not None and old.no_reply_ms is None:
        shop.no_reply_since_ms = no_reply_since_ms
        for agent in shop.agents.values():
            for buyer in agent.waiting.values():
                if buyer.no_reply_doublings:
                    buyer.no_reply_doublings = 0  # Y10
                    shop.changed_buyers.add(buyer.buyer_id)
    shop.gauges.configured_shops += (change.given is not None) - (shop.given is not None)
    shop.given = change.given
    shop.settings_changed = True
    adopt_plan(shop)
    for buyer_id in sorted(shop.bound):
        if shop.buyers[buyer_id].group_id not in shop.plan.single_groups:
            unbind(shop, shop.buyers[buyer_id])  # Y8: it binds no more, also if the group comes back
    for *_, buyer_id in shop.message_pool.everyone.places():  # whom a buyer knows may be others now
        shop.message_pool.remove(buyer_id)
        shop.message_pool.add(shop.buyers[buyer_id], shop.plan.dedicated.get(buyer_id))


def set_timers(shop: Shop) -> None:
    """Numbers that changed hold for running waits (X2), silence (L9) and memory (T5, T6)."""
    shop.detections.clear()
    shop.no_replies.clear()
    shop.no_reply_heap.clear()
    shop.wake_ms = 0  # look at once what is due: a deadline already past fires at the clock
    for agent_id in sorted(shop.agents):
        agent = shop.agents[agent_id]
        agent.queued_ms = NEVER_MS
        set_deadline(shop, agent)
        shop.release(agent)  # the settings name it no longer
    if shop.plan.no_reply_ms is not None:
        for agent in shop.agents.values():
            for buyer in agent.waiting.values():
                set_no_reply_timer(shop, buyer)
