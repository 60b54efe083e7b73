"""What happens to agents: status events, and windows that end (section 2, Y11, Y16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.decisions import AgentPresence, Assignment
from tests.reference import decide, share
from tests.reference.presence import lift, publish
from tests.reference.state import Agent, Device, Shop, Window

if TYPE_CHECKING:
    from schemas.decisions import Cause
    from schemas.events import AgentStatus

Decision = Assignment | AgentPresence


def seen(shop: Shop, agent_id: str, own_ms: int | None) -> Agent:
    """Known from now on; L9: an event of the agent's own refreshes its last-seen time by the event's own time."""
    agent = shop.agents.setdefault(agent_id, Agent(agent_id))
    agent.last_ms = shop.clock_ms  # T6
    if own_ms is not None:
        agent.last_seen_ms = max(agent.last_seen_ms, own_ms)
    return agent


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
    return go_offline(shop, agent, seen_ms, shop.lag_ms(agent.agent_id, seen_ms), "silence")


def go_offline(shop: Shop, agent: Agent, t0_ms: int, lag_ms: int, cause: Cause | None = None) -> list[Decision]:
    """L6, L7: publish `offline` with the stranded buyers, then rescue."""
    share.level(shop)
    found = len(decide.stranded(shop, agent.agent_id, t0_ms))
    published = publish(shop, agent.agent_id, t0_ms, lag_ms=lag_ms, stranded=found, cause=cause)
    return [*published, *decide.rescue(shop, agent.agent_id, t0_ms)]


def apply_status(shop: Shop, event: AgentStatus) -> list[Decision]:
    """L1, L10: connectivity a device, availability an account. Becoming available drains the pool (T4)."""
    agent = seen(shop, event.agent_id, event.occurred_at_ms)
    was_available = shop.available(agent.agent_id)
    decisions: list[Decision] = []
    if event.status in ("suspended", "resumed"):
        if event.occurred_at_ms < shop.newest_of_account_ms.get(agent.agent_id, -1):
            shop.counted["stale_statuses"] += 1
            return []  # L10
        shop.newest_of_account_ms[agent.agent_id] = event.occurred_at_ms
        if event.status == "resumed":
            lift(shop, agent.agent_id)
        else:
            shop.suspensions[agent.agent_id] = "own"  # Y11: also if it was for want of replies
    else:
        devices = devices_meant(agent, event)
        if devices is None:
            shop.counted["stale_statuses"] += 1
            return []  # L10, Y16
        if event.status == "online":
            connect(shop, agent, devices)
        else:
            shop.applied["Y16"] += event.device_id is None and devices - {(event.device, "")} != set()
            decisions += disconnect(shop, agent, event, devices)
    share.level(shop)
    decisions += publish(shop, agent.agent_id, shop.clock_ms)
    if shop.available(agent.agent_id) and not was_available:
        left_in_again(shop, agent.agent_id)
        decisions += decide.drain(shop)
    return decisions


def left_in_again(shop: Shop, agent_id: str) -> list[str]:
    """Y10: T4 leaves the agent out no more. Returns those buyers in the pool for whom it did."""
    freed = [buyer.buyer_id for buyer in shop.pool() if agent_id in buyer.taken_from]
    for buyer in shop.buyers.values():
        buyer.taken_from = [other for other in buyer.taken_from if other != agent_id]
    return freed


def devices_meant(agent: Agent, event: AgentStatus) -> set[Device] | None:
    """L10, Y16: the devices that the event is of, now noted as the newest of them; None if it is stale."""
    own_ms = event.occurred_at_ms
    kind: str = event.device

    def newest_ms(device: Device) -> int:
        return max(agent.newest_of_device_ms.get(device, -1), agent.newest_of_kind_ms.get(device[0], -1))

    if event.status == "online" or event.device_id is not None:
        meant = {(kind, event.device_id or "")}
        stale = any(own_ms < newest_ms(device) for device in meant)
    else:
        of_kind = {device for device in agent.newest_of_device_ms if device[0] == kind}
        meant = {device for device in of_kind if own_ms >= newest_ms(device)}
        stale = not meant if of_kind else own_ms < agent.newest_of_kind_ms.get(kind, -1)
        if not stale:  # it holds for devices not seen yet as well
            agent.newest_of_kind_ms[kind] = max(own_ms, agent.newest_of_kind_ms.get(kind, -1))
    if stale:
        return None
    for device in meant:
        agent.newest_of_device_ms[device] = own_ms
    return meant


def connect(shop: Shop, agent: Agent, devices: set[Device]) -> None:
    """L1, L5, P5."""
    if not shop.believed_online(agent.agent_id):
        lift(shop, agent.agent_id)  # L1
    agent.connected_devices |= devices
    if any(kind == "mobile" for kind, _ in devices):
        agent.app_alive = True  # P5
    if shop.connected(agent.agent_id):
        agent.window = None  # L5


def disconnect(shop: Shop, agent: Agent, event: AgentStatus, devices: set[Device]) -> list[Decision]:
    """L3, L8."""
    t0_ms = event.occurred_at_ms
    was_connected = shop.connected(agent.agent_id)
    agent.connected_devices -= devices
    counting = shop.counts((event.device, ""))
    at_once = event.status == "logged_out" and shop.config.logout_is_immediate and counting
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
        return [*publish(shop, agent.agent_id, t0_ms, lag_ms=lag_ms)]
    if at_once and agent.window is not None:
        return end_window(shop, agent)  # L8, F7
    return []
