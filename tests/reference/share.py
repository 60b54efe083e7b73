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
    """S2: every pool that the config can lead to, with its members among the agents seen."""
    config = shop.config
    found: dict[str, set[str]] = {ALL: set(shop.agents)}
    combinations = [[group] for group in config.groups]  # random_group picks one
    states = {state for group in config.groups for state in group.order_states}
    combinations += [[group for group in config.groups if state in group.order_states] for state in states]
    for groups in combinations:
        found[group_pool(groups)] = {agent_id for group in groups for agent_id in group.agent_ids}
    for page in config.pages:
        found[page_pool(page.page)] = set(page.agent_ids)
    return found


def is_candidate(shop: Shop, agent_id: str, buyer_id: str | None) -> bool:
    """S2: available, weight above 0, not full (membership is asked elsewhere)."""
    return shop.available(agent_id) and shop.weight(agent_id) > 0 and not shop.full(agent_id, buyer_id)


def level(shop: Shop, buyer_id: str | None = None) -> None:
    """S3: whoever is a candidate of a pool now and was none after the last change starts at max(own v, clock).

    With `buyer_id`, "full" does not count that buyer: the state as the decision about it sees it (X1, F10).
    """
    now = {
        (pool, agent_id)
        for pool, members in pools(shop).items()
        for agent_id in members
        if is_candidate(shop, agent_id, buyer_id)
    }
    for pool, agent_id in now - shop.candidates:
        own = shop.virtual_times.get((pool, agent_id), 0)
        shop.virtual_times[pool, agent_id] = max(own, shop.pool_clocks.get(pool, 0))
    shop.candidates = now


def first_of(shop: Shop, pool: str, candidates: list[str]) -> str:
    """S2: the smallest (v, time of the last share assignment in any pool or -1, agent_id)."""
    return min(
        candidates,
        key=lambda agent_id: (shop.virtual_times[pool, agent_id], shop.agents[agent_id].last_share_ms, agent_id),
    )


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
    before = shop.virtual_times[pool, agent_id]
    shop.pool_clocks[pool] = max(shop.pool_clocks.get(pool, 0), before)
    shop.virtual_times[pool, agent_id] = before + step(shop, agent_id)
    shop.agents[agent_id].last_share_ms = shop.clock_ms
