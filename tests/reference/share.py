"""Section 6: pools, candidates, levelling and the stride."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.shop import Group
    from tests.reference.state import Shop

ALL = "all"


def group_pool(groups: Iterable[Group]) -> str:
    """S2: the id of the pool of some groups."""
    return "group:" + "\x1f".join(sorted(group.group_id for group in groups))


def page_pool(page: str) -> str:
    """S2: the id of a page's pool."""
    return f"page:{page}"


def pools(shop: Shop) -> dict[str, set[str]]:
    """S2: every pool that the config can lead to, with its members; Y4's tiers are parts of these."""
    config = shop.config
    found: dict[str, set[str]] = {ALL: shop.known_agents()}
    combinations = [[group] for group in config.groups]  # random_group picks one, Y8 binds to one
    states = {state for group in config.groups for state in group.order_states}
    combinations += [[group for group in config.groups if state in group.order_states] for state in states]
    for groups in combinations:
        found[group_pool(groups)] = {agent_id for group in groups for agent_id in group.agent_ids}
    for page in config.pages:
        found[page_pool(page.page)] = set(page.agent_ids)
    return found


def tier_pool(shop: Shop, pool: str, agent_id: str) -> str:
    """Y4: each tier of a pool is a pool of its own."""
    tier = shop.tier(agent_id)
    return pool if tier == 1 else f"tier:{tier}\x1f{pool}"


def is_candidate(shop: Shop, agent_id: str, buyer_id: str | None) -> bool:
    """S2: available, weight above 0, not full (membership is asked elsewhere)."""
    return shop.available(agent_id) and shop.weight(agent_id) > 0 and not shop.full(agent_id, buyer_id)


def level(shop: Shop, buyer_id: str | None = None) -> None:
    """S3: whoever is a candidate of a pool now and was none after the last change starts at max(own v, clock).

    With `buyer_id`, "full" does not count that buyer: the state as the decision about it sees it (X1, F10).
    """
    now = {
        (tier_pool(shop, pool, agent_id), agent_id)
        for pool, members in pools(shop).items()
        for agent_id in members
        if is_candidate(shop, agent_id, buyer_id)
    }
    for pool, agent_id in now - shop.candidates:
        own = shop.virtual_times.get((pool, agent_id), 0)
        shop.virtual_times[pool, agent_id] = max(own, shop.pool_clocks.get(pool, 0))
    shop.candidates = now


def first_of(shop: Shop, pool: str, candidates: list[str]) -> str:
    """S2: the smallest (v, time of the last share assignment in any pool or -1, agent_id). All are of one tier (Y4)."""

    def place(agent_id: str) -> tuple[int, int, str]:
        virtual_time = shop.virtual_times[tier_pool(shop, pool, agent_id), agent_id]
        return virtual_time, shop.agents[agent_id].last_share_ms, agent_id

    return min(candidates, key=place)


def step(shop: Shop, agent_id: str) -> int:
    """S1, S2: how much a share assignment costs, with pending as it is before it."""
    weight = shop.weight(agent_id)
    pending = shop.pending(agent_id)
    threshold = shop.config.busy_threshold
    if pending <= threshold:
        return 2**32 // weight
    return 2**32 * pending // (weight * threshold)


def take(shop: Shop, pool: str, agent_id: str) -> None:
    """S2, S3: the pool's clock sees v before the step, then v grows."""
    shop.applied["Y5"] += shop.listed(agent_id) is None and shop.weight(agent_id) != 100
    name = tier_pool(shop, pool, agent_id)
    before = shop.virtual_times[name, agent_id]
    shop.pool_clocks[name] = max(shop.pool_clocks.get(name, 0), before)
    shop.virtual_times[name, agent_id] = before + step(shop, agent_id)
    shop.agents[agent_id].last_share_ms = shop.clock_ms


def charge(shop: Shop, pool: str, agent_id: str, compared: list[str]) -> None:
    """Y14: the agent that X2 takes a buyer from moves on too; pending as it is with the buyer."""
    if agent_id not in pools(shop)[pool] or shop.weight(agent_id) == 0:
        return
    shop.applied["Y14"] += 1
    key = (tier_pool(shop, pool, agent_id), agent_id)
    own = step(shop, agent_id)
    equal = 2**32 // sum(shop.weight(other) for other in compared)
    shop.virtual_times[key] = shop.virtual_times.get(key, 0) + max(own, equal)
