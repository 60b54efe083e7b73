"""Carrying out what a ladder decided: assignments, drains of the pool, rescues and no-reply moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from schemas.decisions import Assignment
from tests.reference import share
from tests.reference.ladder import NO_CONTACT, Walk, found_agent, walk
from tests.reference.state import HUMAN_KINDS

if TYPE_CHECKING:
    from schemas.decisions import Target
    from tests.reference.state import Buyer, Shop


def give(shop: Shop, buyer: Buyer, target: Target) -> None:
    """T1, L6, X2: the waiting buyer waits for this owner from now on."""
    same_owner = buyer.owner is not None and buyer.owner.kind in HUMAN_KINDS and buyer.owner.id == target.id
    buyer.owner = target
    buyer.assigned_at_ms = shop.clock_ms
    if not same_owner:  # X2: the wait begins when the buyer comes to the owner
        buyer.wait_start_ms = shop.clock_ms
        buyer.no_reply_given_up = False
        if target.kind in HUMAN_KINDS and target.id in shop.agents:
            shop.agents[target.id].last_ms = shop.clock_ms  # T6
    if target.kind in HUMAN_KINDS and target.id not in buyer.waited_for:
        buyer.waited_for.append(target.id)


def carry_out(shop: Shop, attempt: Walk, rule: str) -> Assignment:
    """Section 1: publish the assignment of the buyer's newest message, then move the buyer (T1, T3, S2)."""
    buyer, message, target = attempt.buyer, attempt.message, attempt.target
    assert target is not None, "only a walk that ended somewhere is carried out"
    human = target.kind in HUMAN_KINDS
    buyer.times_assigned += 1
    again = "" if buyer.times_assigned == 1 else f"#{buyer.times_assigned}"
    shared = attempt.pool is not None
    decision = Assignment(
        assignment_id=f"{message.event_id}{again}",
        message_id=message.event_id,
        shop_id=shop.shop_id,
        buyer_id=buyer.buyer_id,
        target=target,
        rule=rule,
        policy=shop.config.policy,
        previous_agent_id=None if buyer.contact is None else buyer.contact[0],
        new_owner=buyer.holder != target.id,
        target_presence=shop.presence(target.id) if human else None,
        pending_before=shop.pending(target.id) if human else None,
        weight=shop.weight(target.id) if shared else UNSET,
        candidate_count=UNSET if attempt.candidate_count is None else attempt.candidate_count,
        push=UNSET if attempt.push is None else attempt.push,
        waiting_messages=buyer.waiting_messages,
        late_ms=buyer.late_ms,
        trace=list(attempt.trace),
        occurred_at_ms=message.occurred_at_ms,
        decided_at_ms=shop.clock_ms,
        config_version=shop.version,
    )
    if attempt.pool is not None:
        share.take(shop, attempt.pool, target.id)  # S2: pending as it is before this assignment
    give(shop, buyer, target)
    buyer.holder = target.id
    buyer.last_ms = shop.clock_ms  # T5
    if attempt.rung not in NO_CONTACT:
        buyer.contact = (target.id, shop.clock_ms)  # T3
    share.level(shop)
    return decision


def route_message(shop: Shop, buyer: Buyer) -> Assignment:
    """Sections 4 and 5: the first assignment of a message. The name of the rung is the rule."""
    attempt = walk(Walk(shop, buyer))
    return carry_out(shop, attempt, attempt.rung)


def drain(shop: Shop, spare: str | None = None) -> list[Assignment]:
    """T4, F3: route the pool's buyers in order; one whom nobody can take keeps its place."""
    decisions: list[Assignment] = []
    if not shop.config.pool_drain:
        return decisions
    for buyer in shop.pool():
        attempt = walk(Walk(shop, buyer, no_robots=True, strict_full=True, drain=True, spare=spare))
        if found_agent(attempt) and attempt.target is not None:
            decisions.append(carry_out(shop, attempt, "pool_drained"))
            if attempt.target.id == spare:
                spare = None  # F3: it got one in this drain
    share.level(shop)
    return decisions


def rescue(shop: Shop, agent_id: str, t0_ms: int) -> list[Assignment]:
    """L7: route the buyers of an agent that was found to be offline again."""
    config = shop.config
    if config.rescue == "none" or not config.offline_diversion:
        return []
    buyers = stranded(shop, agent_id, t0_ms) if config.rescue == "stranded" else shop.waiting_for(agent_id)
    decisions = []
    for buyer in buyers:
        attempt = walk(Walk(shop, buyer, excluded=frozenset({agent_id}), no_robots=True, strict_full=True))
        rule = "stranded_rescue" if found_agent(attempt) else attempt.rung
        decisions.append(carry_out(shop, attempt, rule))
    return decisions


def stranded(shop: Shop, agent_id: str, t0_ms: int) -> list[Buyer]:
    """L6: buyers assigned or transferred to the agent at or after t0 who still wait for it."""
    return [buyer for buyer in shop.waiting_for(agent_id) if buyer.assigned_at_ms >= t0_ms]


def no_reply(shop: Shop, buyer: Buyer) -> list[Assignment]:
    """X2: route a buyer who has waited too long for one owner again, without the owners that it has waited for."""
    attempt = walk(
        Walk(
            shop,
            buyer,
            excluded=frozenset(buyer.waited_for),
            no_robots=True,
            strict_full=True,
            divert_always=True,
        )
    )
    if not found_agent(attempt) or attempt.rung == "offline_receiver":
        buyer.no_reply_given_up = True
        share.level(shop)
        return []
    buyer.no_reply_moves += 1
    return [carry_out(shop, attempt, "no_reply"), *drain(shop)]
