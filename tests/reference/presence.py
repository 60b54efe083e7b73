"""L11, Y11: presence published, and the two ways in which it changes by itself: found out, and suspended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from schemas.decisions import AgentPresence
from tests.reference import share

if TYPE_CHECKING:
    from schemas.decisions import Cause
    from tests.reference.state import Shop


def publish(
    shop: Shop,
    agent_id: str,
    since_ms: int,
    *,
    lag_ms: int | None = None,
    stranded: int | None = None,
    cause: Cause | None = None,
) -> list[AgentPresence]:
    """L11: presence, once at every change. Nobody hears of an agent of whom no event came."""
    agent = shop.agents.get(agent_id)
    presence = shop.presence(agent_id)
    if agent is None or presence == agent.published:
        return []
    agent.published = presence
    if presence == "suspended" and shop.suspensions[agent_id] == "no_reply":
        cause = "no_reply"  # Y11: with every `suspended` while it holds
    return [
        AgentPresence(
            shop_id=shop.shop_id,
            agent_id=agent_id,
            presence=presence,
            since_ms=since_ms,
            at_ms=shop.clock_ms,
            lag_ms=UNSET if lag_ms is None else lag_ms,
            pending_replies=shop.pending(agent_id),
            stranded_buyers=UNSET if stranded is None else stranded,
            cause=UNSET if cause is None else cause,
        )
    ]


def suspend_for_no_reply(shop: Shop, agent_id: str) -> list[AgentPresence]:
    """Y11: after X2 took a buyer from the agent."""
    shop.no_reply_takes[agent_id] = shop.no_reply_takes.get(agent_id, 0) + 1
    after = shop.config.no_reply_suspend_after
    others = [other for other in shop.agents if other != agent_id and shop.available(other)]
    if after is None or shop.no_reply_takes[agent_id] < after or shop.suspended(agent_id) or not others:
        return []
    shop.suspensions[agent_id] = "no_reply"
    shop.newest_of_account_ms[agent_id] = shop.clock_ms
    shop.counted["no_reply_suspensions"] += 1
    shop.applied["Y11"] += 1
    share.level(shop)
    return publish(shop, agent_id, shop.clock_ms)


def lift(shop: Shop, agent_id: str) -> None:
    """L1, Y11: the suspension ends; after one for want of replies the count begins anew."""
    if shop.suspensions.pop(agent_id, None) == "no_reply":
        shop.applied["Y11 lifted"] += 1
        shop.no_reply_takes[agent_id] = 0
