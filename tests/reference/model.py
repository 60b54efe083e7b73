"""The reference router: events and timers of section 2, 7 and 8 applied to the naive state.

`ReferenceRouter` offers what the product's router offers to a test: `apply` and `fire_timers`.
"""

from __future__ import annotations

from typing import assert_never

from msgspec import UNSET

from schemas.decisions import AgentPresence, Assignment, Target
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfigChange
from tests.reference import decide, share
from tests.reference.state import HUMAN_KINDS, Agent, Buyer, Shop, Window

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
        shop.virtual_times = {key: v for key, v in shop.virtual_times.items() if key[1] != owner_id}
    elif kind == "pool":
        del shop.retired_pools[owner_id], shop.pool_clocks[owner_id]
        shop.virtual_times = {key: v for key, v in shop.virtual_times.items() if key[0] != owner_id}
    else:
        shop.forgotten = True


def end_window(shop: Shop, agent: Agent) -> list[Decision]:
    """L6, L8: the running window is over; it publishes its own t0 and lag."""
    window = agent.window
    assert window is not None, "only a running window ends"
    agent.window = None
    return go_offline(shop, agent, window.t0_ms, window.lag_ms)


def fall_silent(shop: Shop, agent: Agent) -> list[Decision]:
    """L9: all devices are disconnected. Who was not connected (no device counted) changes nothing else by that."""
    seen_ms = shop.last_seen_ms(agent)
    was_connected = shop.connected(agent.agent_id)
    agent.connected_devices.clear()
    if not was_connected:
        return []
    return go_offline(shop, agent, seen_ms, shop.lag_ms(agent.agent_id, seen_ms))


def go_offline(shop: Shop, agent: Agent, t0_ms: int, lag_ms: int) -> list[Decision]:
    """L6, L7: publish `offline` with the stranded buyers, then rescue."""
    share.level(shop)
    found = len(decide.stranded(shop, agent.agent_id, t0_ms))
    published = publish(shop, agent, t0_ms, lag_ms, found)
    return [*published, *decide.rescue(shop, agent.agent_id, t0_ms)]


def publish(
    shop: Shop, agent: Agent, since_ms: int, lag_ms: int | None = None, found: int | None = None
) -> list[AgentPresence]:
    """L11: presence, once at every change."""
    presence = shop.presence(agent.agent_id)
    if presence == agent.published:
        return []
    agent.published = presence
    return [
        AgentPresence(
            shop_id=shop.shop_id,
            agent_id=agent.agent_id,
            presence=presence,
            since_ms=since_ms,
            at_ms=shop.clock_ms,
            lag_ms=UNSET if lag_ms is None else lag_ms,
            pending_replies=shop.pending(agent.agent_id),
            stranded_buyers=UNSET if found is None else found,
        )
    ]


# -- agents ----------------------------------------------------------------------------------------------------------


def seen(shop: Shop, agent_id: str, own_ms: int | None) -> Agent:
    """Known from now on; L9: an event of the agent's own refreshes its last-seen time by the event's own time."""
    agent = shop.agents.setdefault(agent_id, Agent(agent_id))
    agent.last_ms = shop.clock_ms
    if own_ms is not None:
        agent.last_seen_ms = max(agent.last_seen_ms, own_ms)
    return agent


def apply_status(shop: Shop, event: AgentStatus) -> list[Decision]:
    """L1, L10: connectivity a device, availability an account. Becoming available drains the pool (T4)."""
    agent = seen(shop, event.agent_id, event.occurred_at_ms)
    was_available = shop.available(agent.agent_id)
    decisions: list[Decision] = []
    if event.status in ("suspended", "resumed"):
        if event.occurred_at_ms < agent.newest_of_account_ms:
            return []  # L10
        agent.newest_of_account_ms = event.occurred_at_ms
        agent.suspended = event.status == "suspended"
    else:
        device = (event.device, event.device_id)
        if event.occurred_at_ms < agent.newest_of_device_ms.get(device, -1):
            return []  # L10
        agent.newest_of_device_ms[device] = event.occurred_at_ms
        if event.status == "online":
            connect(shop, agent, device)
        else:
            decisions += disconnect(shop, agent, event)
    share.level(shop)
    decisions += publish(shop, agent, shop.clock_ms)
    if shop.available(agent.agent_id) and not was_available:
        decisions += decide.drain(shop)
    return decisions


def connect(shop: Shop, agent: Agent, device: tuple[str, str]) -> None:
    """L1, L5, P5."""
    if not shop.believed_online(agent.agent_id):
        agent.suspended = False  # L1
    agent.connected_devices.add(device)
    if device[0] == "mobile":
        agent.app_alive = True  # P5
    if shop.connected(agent.agent_id):
        agent.window = None  # L5


def disconnect(shop: Shop, agent: Agent, event: AgentStatus) -> list[Decision]:
    """L3, L8."""
    device = (event.device, event.device_id)
    t0_ms = event.occurred_at_ms
    was_connected = shop.connected(agent.agent_id)
    agent.connected_devices.discard(device)
    at_once = event.status == "logged_out" and shop.config.logout_is_immediate and shop.counts(device)
    if event.status == "logged_out" and event.device == "mobile":
        agent.app_alive = False  # P5, F7
    if was_connected and not shop.connected(agent.agent_id):
        if at_once:
            return go_offline(shop, agent, t0_ms, 0)  # L8, F7
        lag_ms = shop.lag_ms(agent.agent_id, t0_ms)
        if t0_ms + lag_ms <= shop.clock_ms:
            return go_offline(shop, agent, t0_ms, lag_ms)  # L3, L11: no lag is left
        agent.window = Window(t0_ms, lag_ms)
        share.level(shop)
        return [*publish(shop, agent, t0_ms, lag_ms)]
    if at_once and agent.window is not None:
        return end_window(shop, agent)  # L8, F7
    return []


# -- buyers ----------------------------------------------------------------------------------------------------------


def remembered(shop: Shop, buyer_id: str) -> Buyer:
    """T5: the buyer's record, which an event of the buyer keeps."""
    buyer = shop.buyers.setdefault(buyer_id, Buyer(buyer_id, shop.clock_ms))
    buyer.last_ms = shop.clock_ms
    return buyer


def apply_message(shop: Shop, event: BuyerMessage) -> list[Decision]:
    """O4, T4's waiting_messages, then the ladder."""
    late_ms = shop.clock_ms - event.occurred_at_ms  # O3
    if event.buyer_id in shop.buyers and event.event_id in shop.buyers[event.buyer_id].last_event_ids:
        return []  # O4
    buyer = remembered(shop, event.buyer_id)
    buyer.last_event_ids = [*buyer.last_event_ids, event.event_id][-8:]
    if buyer.waiting_messages == 0:
        shop.messages_seen += 1
        buyer.place = shop.messages_seen  # L7, T4: by the first waiting message
    buyer.waiting_messages += 1
    buyer.message = event
    buyer.late_ms = late_ms
    buyer.times_assigned = 0
    return [decide.route_message(shop, buyer)]


def apply_reply(shop: Shop, event: AgentReply) -> list[Decision]:
    """T2, T3, and T4's drain after a waiting buyer was taken from an agent."""
    if event.kind == "auto":
        return []  # T2: it moves the clock and nothing else
    seen(shop, event.agent_id, event.occurred_at_ms)
    buyer = remembered(shop, event.buyer_id)
    owner = buyer.owner
    if event.kind == "transfer":
        assert event.to_agent_id is not None, "section 1"
        seen(shop, event.to_agent_id, None)
        buyer.contact = (event.to_agent_id, shop.clock_ms)
        buyer.holder = event.to_agent_id
        if owner is not None:
            decide.give(shop, buyer, Target("agent", event.to_agent_id))
    else:
        buyer.contact = (event.agent_id, shop.clock_ms)
        buyer.holder = event.agent_id
        answered(buyer)
    share.level(shop)
    if owner is None or owner.kind not in HUMAN_KINDS or not shop.known(owner.id):
        return []  # nobody waited, or a robot, the pool, or an account that is no agent (F6) lost the buyer
    if buyer.owner is not None and buyer.owner.id == owner.id:
        return []  # a transfer to the agent itself takes nothing from it
    return [*decide.drain(shop, spare=owner.id)]


def answered(buyer: Buyer) -> None:
    """T2, X2: a human answered; nothing waits any more."""
    buyer.owner = None
    buyer.waiting_messages = 0
    buyer.waited_for = []
    buyer.no_reply_moves = 0
    buyer.no_reply_given_up = False


# -- configs ---------------------------------------------------------------------------------------------------------


def apply_config(shop: Shop, event: ShopConfigChange) -> list[Decision]:
    """C1, L2, L5, L9, X2, F8: in force at once for everybody, then the agents in order of id, then one drain."""
    connected_before = {agent_id for agent_id in shop.agents if shop.connected(agent_id)}
    old, new = shop.config, event.settings
    shop.config, shop.version, shop.given = new, event.version, event.given is not None
    configured = share.pools(shop)
    for name in shop.pool_clocks:
        if name not in configured:
            shop.retired_pools.setdefault(name, shop.clock_ms)  # T6
    for name in configured:
        shop.retired_pools.pop(name, None)
    if new.expect_heartbeats and not old.expect_heartbeats:
        shop.heartbeats_on_ms = event.occurred_at_ms
    if new.no_reply_reassign_s is not None and old.no_reply_reassign_s is None:
        shop.no_reply_on_ms = shop.clock_ms
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
            decisions += publish(shop, agent, shop.clock_ms)
    return [*decisions, *decide.drain(shop)]
