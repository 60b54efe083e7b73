"""What an agent is to the rules right now, and the bookkeeping that follows when it changes."""

from streams.routing.share import Pool
from streams.routing.state import Agent, Shop
from streams.routing.ties import forget_taken


def refresh(shop: Shop, agent: Agent, *, uncounted: int = 0) -> None:
    """Bring what follows from an agent's presence, weight, limit and pending replies up to date.

    `uncounted` is 1 while a decision is made about a buyer that waits there: X1 does not count it.
    """
    pending = len(agent.waiting)
    busy = pending > shop.plan.config.busy_threshold
    if busy is not agent.busy:
        agent.busy = busy
        shop.gauges.busy_agents += 1 if busy else -1
    available = agent.online and not agent.suspended
    full = agent.limit is not None and pending - uncounted >= agent.limit
    eligible = available and agent.weight > 0
    candidate = eligible and not full
    has_room = agent.online and not full and pending < shop.plan.config.busy_threshold
    if available is not agent.available:
        _count_available(shop, 1 if available else -1)
        if available and agent.taken:
            forget_taken(shop, agent)  # Y10
    if has_room is not agent.has_room:
        shop.message_pool.note_room(agent.agent_id, has_room)
    if eligible is agent.eligible and candidate is agent.candidate and has_room is agent.has_room:
        agent.available = available
        return
    was = (agent.eligible, agent.candidate, agent.candidate and agent.has_room)
    agent.available, agent.eligible, agent.candidate, agent.has_room = available, eligible, candidate, has_room
    for pool in agent.pools:
        _enter_or_leave(shop, pool, agent, was)


def adopt_plan(shop: Shop) -> None:
    """After a new configuration: weights, limits, who is a candidate where; level those that were none before (S3)."""
    before = {name: frozenset(pool.candidates.ids) for name, pool in shop.pools.items()}
    for agent_id in sorted(shop.agents):
        agent = shop.agents[agent_id]
        agent.pools.clear()
        agent.tier = shop.plan.tier(agent_id)
        agent.weight, agent.limit = shop.plan.weight(agent_id), shop.plan.max_pending(agent_id)
        refresh(shop, agent)
    shop.pools.clear()
    for name in shop.pool_clocks:
        if name not in shop.plan.pools:
            shop.retired_pools.setdefault(name, shop.clock_ms)  # T6
            continue
        shop.retired_pools.pop(name, None)
        pool = shop.pools[name] = Pool(shop, name)
        for agent_id in pool.candidates.ids:
            if agent_id not in before.get(name, ()):
                pool.level(shop, shop.agents[agent_id])


def _count_available(shop: Shop, step: int) -> None:
    shop.available_count += step
    if step == 1 and shop.available_count == 1:
        shop.gauges.unattended_shops -= 1
    elif step == -1 and shop.available_count == 0:
        shop.gauges.unattended_shops += 1


def _enter_or_leave(shop: Shop, pool: Pool, agent: Agent, was: tuple[bool, bool, bool]) -> None:
    was_eligible, was_candidate, was_roomy = was
    pool.eligible_count += agent.eligible - was_eligible
    if agent.candidate is not was_candidate:
        if agent.candidate:
            pool.level(shop, agent)  # S3, before the next pick
            pool.candidates.add(agent)
        else:
            pool.candidates.remove(agent)
    roomy = agent.candidate and agent.has_room
    if roomy is not was_roomy:
        if roomy:
            pool.roomy.add(agent)
        else:
            pool.roomy.remove(agent)
