"""Messages get assignments: as they come (Q, P), out of the pool (T4), by a rescue (L7), for want of a reply (X2)."""

from itertools import takewhile

from msgspec import UNSET

from schemas.decisions import Assignment, Target
from schemas.events import BuyerMessage
from streams.routing.case import Case
from streams.routing.ladder import (
    KEEPS_LAST_CONTACT,
    PINDUODUO,
    PINDUODUO_DRAIN,
    QIANNIU,
    QIANNIU_DRAIN,
    UNATTENDED,
    climb,
)
from streams.routing.message_pool import Place
from streams.routing.plan import ALL_AGENTS
from streams.routing.records import Buyer
from streams.routing.share import pool
from streams.routing.standing import refresh
from streams.routing.state import Agent, Shop
from streams.routing.waiting import stop_waiting, wait_for, wait_in_message_pool


def route_message(shop: Shop, buyer: Buyer, message: BuyerMessage) -> None:
    """A buyer wrote: down the whole ladder (sections 4 and 5)."""
    case = Case(shop, buyer, message)
    rung = _decide(case)
    _assign(case, rung, rung)


def rescue_buyers(shop: Shop, agent: Agent, t0_ms: int) -> None:
    """L7: the buyers of an agent who is offline since `t0_ms` are routed again, as the shop's `rescue` says."""
    config = shop.plan.config
    if config.rescue == "none" or not config.offline_diversion:
        return
    buyers = list(agent.waiting.values()) if config.rescue == "all_pending" else stranded_buyers(agent, t0_ms)
    for buyer in sorted(buyers, key=_place_in_line):
        case = _again(shop, buyer, without=(agent.agent_id,))
        rung = _decide(case)
        _assign(case, rung, "stranded_rescue" if case.kind == "agent" else rung)
        shop.stats.rescued_buyers += 1


def stranded_buyers(agent: Agent, t0_ms: int) -> list[Buyer]:
    """L6: the buyers assigned or transferred to the agent at or after `t0_ms` who wait for it, the newest first."""
    return list(takewhile(lambda buyer: buyer.assigned_ms >= t0_ms, reversed(agent.waiting.values())))


def reassign_without_reply(shop: Shop, buyer: Buyer) -> None:
    """X2: the buyer has waited long enough for its owner, so it is routed to another, if there is one."""
    case = _again(shop, buyer, without=buyer.waited_for)
    rung = _decide(case)
    if rung in UNATTENDED:
        buyer.no_reply_stays = True
        refresh(shop, shop.agent(buyer.owner_id or ""))
        shop.changed_buyers.add(buyer.buyer_id)
        return
    buyer.no_reply_moves += 1
    shop.stats.no_reply_moves += 1
    _assign(case, rung, "no_reply")
    drain_message_pool(shop)


def drain_message_pool(shop: Shop, favoured: str | None = None) -> None:
    """T4: the pool's buyers are routed in order while there is room; `favoured` has room for one in any case."""
    if not shop.plan.config.pool_drain:
        return
    if favoured is not None and not shop.agents[favoured].online:
        favoured = None
    ladder = QIANNIU_DRAIN if shop.plan.qianniu else PINDUODUO_DRAIN
    while (buyer_id := _next_to_drain(shop, favoured)) is not None:
        case = _again(shop, shop.buyers[buyer_id], drain=True, favoured=favoured)
        rung = climb(case, ladder)
        assert rung is not None, "somebody can take whoever is next"  # noqa: S101
        _assign(case, rung, "pool_drained")
        if case.target_id == favoured:
            favoured = None  # F3


def _next_to_drain(shop: Shop, favoured: str | None) -> str | None:
    """The first in the pool whom somebody can take: anybody who takes part in shares, or an agent that it knows.

    Room only shrinks during a drain, so whom nobody could take before nobody can take now.
    """
    waiting = shop.message_pool
    if not len(waiting) or not (waiting.with_room or favoured is not None):
        return None
    if len(pool(shop, ALL_AGENTS).roomy) or (favoured is not None and shop.agents[favoured].candidate):
        place = waiting.everyone.first()
    else:
        reachable = waiting.reachable if favoured is None else waiting.reachable | {favoured}
        places = [_first_acquaintance(shop, shop.agents[agent_id]) for agent_id in list(reachable)]
        place = min([place for place in places if place is not None], default=None)
    return None if place is None else place[1]


def _first_acquaintance(shop: Shop, agent: Agent) -> Place | None:
    """The first in the pool who comes to this agent as its last contact or dedicated agent; it has room for one."""
    waiting, plan = shop.message_pool, shop.plan
    known = waiting.acquaintances.get(agent.agent_id)
    if known is None or (agent.limit is not None and len(agent.waiting) >= agent.limit):
        return None
    by_contact = None
    if agent.available or plan.config.suspended_keeps_recent:
        while (by_contact := known.by_contact.first()) is not None and _expired(shop, by_contact[1]):
            waiting.contact_expired(by_contact[1], agent.agent_id)
    dedicated = known.dedicated.first() if agent.available else None
    if by_contact is None or dedicated is None:
        return dedicated if by_contact is None else by_contact
    return min(by_contact, dedicated)


def _expired(shop: Shop, buyer_id: str) -> bool:
    """Q2, P1: whether the buyer's last contact is out of the window."""
    window_ms = shop.plan.recent_window_ms
    return window_ms is not None and shop.clock_ms - shop.buyers[buyer_id].contact_ms > window_ms


def _decide(case: Case) -> str:
    """Down the whole ladder, with the buyer in question not counted where it waits (X1, F10)."""
    owner_id = case.buyer.owner_id
    if owner_id is not None:
        owner = case.shop.agents[owner_id]
        if owner.limit is not None:
            refresh(case.shop, owner, uncounted=1)
    rung = climb(case, QIANNIU if case.plan.qianniu else PINDUODUO)
    assert rung is not None, "the last rung takes every message"  # noqa: S101
    return rung


def _again(
    shop: Shop, buyer: Buyer, *, without: tuple[str, ...] = (), drain: bool = False, favoured: str | None = None
) -> Case:
    """The newest message of a waiting buyer, once more: without robots, past full agents (L7, F4)."""
    assert buyer.message is not None, "a waiting buyer has a message"  # noqa: S101
    return Case(shop, buyer, buyer.message, without=without, robots=False, strict=True, drain=drain, favoured=favoured)


def _place_in_line(buyer: Buyer) -> int:
    return buyer.first_seq


def _assign(case: Case, rung: str, rule: str) -> None:
    """Write the assignment down and let the buyer wait where it sends it."""
    shop, buyer, message, kind, target_id = case.shop, case.buyer, case.message, case.kind, case.target_id
    account = None if kind in {"robot", "message_pool"} else shop.agent(target_id)
    buyer.assignments += 1
    shop.out.append(
        Assignment(
            assignment_id=message.event_id if buyer.assignments == 1 else f"{message.event_id}#{buyer.assignments}",
            message_id=message.event_id,
            shop_id=shop.shop_id,
            buyer_id=buyer.buyer_id,
            target=Target(kind, target_id),
            rule=rule,
            policy=case.plan.config.policy,
            previous_agent_id=buyer.contact_id,
            new_owner=buyer.holder != target_id,
            target_presence=None if account is None else account.presence,
            pending_before=None if account is None else len(account.waiting),
            weight=UNSET if case.weight is None else case.weight,
            candidate_count=UNSET if case.candidate_count is None else case.candidate_count,
            push=UNSET if case.push is None else case.push,
            waiting_messages=buyer.waiting_messages,
            late_ms=buyer.late_ms,
            trace=case.trace,
            occurred_at_ms=message.occurred_at_ms,
            decided_at_ms=shop.clock_ms,
            config_version=case.plan.version,
        )
    )
    buyer.holder = target_id
    if account is not None and rung not in KEEPS_LAST_CONTACT:
        shop.set_contact(buyer, account)
    shop.touch(buyer)
    if account is not None:
        wait_for(shop, buyer, account)
    elif kind == "message_pool":
        wait_in_message_pool(shop, buyer)
    else:
        stop_waiting(shop, buyer)
