"""Carrying out what a ladder decided: assignments, drains of the pool, rescues, transfers and no-reply moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from schemas.decisions import Assignment
from tests.reference import presence, share
from tests.reference.ladder import NO_CONTACT, Walk, found_agent, walk
from tests.reference.state import HUMAN_KINDS

if TYPE_CHECKING:
    from schemas.decisions import AgentPresence, Target
    from tests.reference.state import Buyer, Shop


def give(shop: Shop, buyer: Buyer, target: Target) -> None:
    """T1, L6, X2: the waiting buyer waits for this owner from now on."""
    same_owner = buyer.owner is not None and buyer.owner.kind in HUMAN_KINDS and buyer.owner.id == target.id
    buyer.owner = target
    buyer.assigned_at_ms = shop.clock_ms
    if not same_owner:  # X2, Y10: the wait begins when the buyer comes to the owner
        buyer.wait_start_ms = shop.clock_ms
        buyer.doublings = 0
        if target.kind in HUMAN_KINDS and target.id in shop.agents:
            shop.agents[target.id].last_ms = shop.clock_ms  # T6
    if target.kind in HUMAN_KINDS and target.id not in buyer.waited_for:
        buyer.waited_for.append(target.id)
    if target.id == buyer.given_away_by:
        buyer.given_away_by = None  # Y12: it is that agent's again


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
        candidate_count=len(attempt.compared) or UNSET,
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


def route_message(shop: Shop, buyer: Buyer) -> list[Assignment]:
    """Sections 4 and 5: the first assignment of a message. The name of the rung is the rule.

    Fine print of 13: a message that moves its buyer away from an available agent makes room there (T4).
    """
    owner = buyer.owner
    attempt = walk(Walk(shop, buyer))
    decisions = [carry_out(shop, attempt, attempt.rung)]
    if owner is not None and owner.kind in HUMAN_KINDS and shop.available(owner.id) and waits_elsewhere(buyer, owner):
        shop.applied["T4 own message"] += 1
        decisions += drain(shop, spare=owner.id)
    return decisions


def waits_elsewhere(buyer: Buyer, owner: Target) -> bool:
    """F6: whether the buyer waits no more for that owner; by id."""
    return buyer.owner is None or buyer.owner.id != owner.id


def drain(shop: Shop, spare: str | None = None) -> list[Assignment]:
    """T4, F3, Y10: route the pool's buyers in order; one whom nobody can take keeps its place."""
    decisions: list[Assignment] = []
    if not shop.config.pool_drain:
        return decisions
    shop.applied["Y7"] += shop.pool() != sorted(shop.pool(), key=lambda buyer: buyer.place)
    for buyer in shop.pool():
        left_out = frozenset(buyer.taken_from)
        attempt = walk(Walk(shop, buyer, excluded=left_out, no_robots=True, strict_full=True, drain=True, spare=spare))
        shop.applied["Y10 left out"] += bool(left_out)
        if found_agent(attempt) and attempt.target is not None:
            decisions.append(carry_out(shop, attempt, "pool_drained"))
            if attempt.target.id == spare:
                spare = None  # F3: it got one in this drain
    share.level(shop)
    return decisions


def rescues(shop: Shop) -> bool:
    """L7: whether there is a rescue at all."""
    return shop.config.rescue != "none" and shop.config.offline_diversion


def rescue(shop: Shop, agent_id: str, t0_ms: int) -> list[Assignment]:
    """L7: route the buyers of an agent that was found to be offline again."""
    if not rescues(shop):
        return []
    buyers = stranded(shop, agent_id, t0_ms) if shop.config.rescue == "stranded" else shop.waiting_for(agent_id)
    return [rescue_one(shop, buyer, agent_id) for buyer in buyers]


def rescue_one(shop: Shop, buyer: Buyer, agent_id: str) -> Assignment:
    """L7: the whole ladder without this agent and without robots."""
    attempt = walk(Walk(shop, buyer, excluded=frozenset({agent_id}), no_robots=True, strict_full=True))
    return carry_out(shop, attempt, "stranded_rescue" if found_agent(attempt) else attempt.rung)


def stranded(shop: Shop, agent_id: str, t0_ms: int) -> list[Buyer]:
    """L6: buyers assigned or transferred to the agent at or after t0 who still wait for it."""
    return [buyer for buyer in shop.waiting_for(agent_id) if buyer.assigned_at_ms >= t0_ms]


def group_transfer(shop: Shop, buyer: Buyer, agent_id: str) -> Assignment:
    """Y8: route a waiting buyer within its new group, without the agent who transferred and without robots."""
    shop.applied["Y8 transfer"] += 1
    attempt = walk(Walk(shop, buyer, excluded=frozenset({agent_id}), no_robots=True, from_recent=True))
    return carry_out(shop, attempt, "group_transfer" if found_agent(attempt) else attempt.rung)


def no_reply(shop: Shop, buyer: Buyer) -> list[Assignment | AgentPresence]:
    """X2: route a buyer who has waited too long for one owner again, without the owners that it has waited for."""
    owner = buyer.owner
    assert owner is not None, "only a buyer who waits for somebody waits too long"
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
        leaves = shop.config.no_reply_else == "leave_message"
        if leaves:
            leave_instead(attempt)
            shop.applied["Y10 leave"] += 1
        if not leaves or attempt.target is None or attempt.target.id == owner.id:
            buyer.wait_start_ms = shop.clock_ms  # Y10: the wait begins anew
            buyer.doublings += 1
            shop.applied["Y10 stay"] += 1
            share.level(shop)
            return []
    if attempt.pool is not None:
        share.charge(shop, attempt.pool, owner.id, attempt.compared)  # Y14: its pending is still with the buyer
    buyer.no_reply_moves += 1
    if owner.id not in buyer.taken_from:
        buyer.taken_from.append(owner.id)
    moved = carry_out(shop, attempt, "no_reply")
    return [moved, *presence.suspend_for_no_reply(shop, owner.id), *drain(shop)]


def leave_instead(attempt: Walk) -> None:
    """Y10: where Q8 would send the buyer, in place of the rung that took it."""
    attempt.trace.pop()
    attempt.push = None
    attempt.leave_message()
