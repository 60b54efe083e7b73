"""What is not configured, owes nothing and was idle for longer than T5's window is forgotten (T6).

Devices and agents wait in a heap by the time since when they are idle; entries are mended as they surface. Forgetting
decides nothing, publishes nothing and moves no clock: it only keeps the state as small as what may still matter.
"""

from heapq import heappop, heappush

from streams.routing.devices import status_ms
from streams.routing.state import NEVER_MS, Agent, Shop
from streams.routing.ties import forget_taken


def next_idle_ms(shop: Shop) -> int:
    """When the first of all that is idle is forgotten; `NEVER_MS` if nothing is."""
    after_ms = shop.plan.forget_after_ms + 1
    return min(_first_idle_ms(shop, after_ms), _pool_ms(shop, after_ms), _shop_ms(shop, after_ms))


def forget_idle(shop: Shop, deadline_ms: int) -> None:
    """Forget what is due first, which is at this instant."""
    after_ms = shop.plan.forget_after_ms + 1
    if _first_idle_ms(shop, after_ms) == deadline_ms:
        _, agent_id, kind, device_id = heappop(shop.idle)
        agent = shop.agents[agent_id]
        if kind:
            del agent.devices[kind, device_id]
            shop.gauges.device_keys -= 1
            shop.changed_devices.add((agent_id, kind, device_id))
        else:
            _forget_agent(shop, agent)
    elif _pool_ms(shop, after_ms) == deadline_ms:
        _forget_pool(shop, next(iter(shop.retired_pools)))
    else:
        shop.become_blank()


def _first_idle_ms(shop: Shop, after_ms: int) -> int:
    """When the first device or agent is forgotten; what stands before it is held, gone, or was active since."""
    idle = shop.idle
    while idle:
        since_ms, agent_id, kind, device_id = idle[0]
        now_ms = NEVER_MS
        agent = shop.agents.get(agent_id)
        if agent is not None:
            now_ms = _idle_since_ms(shop, agent, kind, device_id)
        if now_ms == since_ms:
            return since_ms + after_ms
        heappop(idle)
        if now_ms != NEVER_MS:
            heappush(idle, (now_ms, agent_id, kind, device_id))
    return NEVER_MS


def _idle_since_ms(shop: Shop, agent: Agent, kind: str, device_id: str) -> int:
    """Since when an agent or a device of it is idle; `NEVER_MS` if it is held, and then it is queued no longer."""
    if not kind:
        if not shop.holds(agent):
            return agent.last_ms
        agent.queued_idle = False
        return NEVER_MS
    device = agent.devices.get((kind, device_id))
    if device is None:
        return NEVER_MS
    if not device.connected:
        return status_ms(agent, (kind, device_id))
    device.queued = False
    return NEVER_MS


def _pool_ms(shop: Shop, after_ms: int) -> int:
    """When the pool that the settings have been without for longest is forgotten."""
    for since_ms in shop.retired_pools.values():
        return since_ms + after_ms
    return NEVER_MS


def _shop_ms(shop: Shop, after_ms: int) -> int:
    """When a shop is forgotten of which nothing is left but its clock."""
    if shop.blank or shop.given is not None or shop.agents or shop.buyers:
        return NEVER_MS
    return shop.clock_ms + after_ms


def _forget_agent(shop: Shop, agent: Agent) -> None:
    """With its devices and its virtual times; its next event makes it anew."""
    forget_taken(shop, agent)  # Y10: it comes back by becoming available
    for key in agent.devices:
        shop.changed_devices.add((agent.agent_id, *key))
    for pool in agent.pools:
        pool.forget(agent)
    del shop.agents[agent.agent_id]
    shop.changed_agents.add(agent.agent_id)
    shop.gauges.device_keys -= len(agent.devices)
    shop.gauges.agent_keys -= 1
    shop.gauges.agents[agent.presence] -= 1


def _forget_pool(shop: Shop, name: str) -> None:
    """A pool's clock and all virtual times in it (S2, S3)."""
    del shop.retired_pools[name]
    del shop.pool_clocks[name]
    shop.changed = True
    for agent in shop.agents.values():
        if agent.virtual_times.pop(name, None) is not None:
            shop.changed_agents.add(agent.agent_id)
