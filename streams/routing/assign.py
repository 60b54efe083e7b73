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
    PINDUODUO_TRANSFER,
    QIANNIU,
    QIANNIU_DRAIN,
    QIANNIU_TRANSFER,
    UNATTENDED,
    Ladder,
    climb,
    leave_message_anyway,
)
from streams.routing.reach import next_to_drain
from streams.routing.records import Buyer
from streams.routing.share import charge
from streams.routing.standing import refresh
from streams.routing.state import Agent, Shop
from streams.routing.ties import take_from
from streams.routing.waiting import set_no_reply_timer, stop_waiting, wait_for, wait_in_message_pool


def route_message(shop: Shop, buyer: Buyer, message: BuyerMessage) -> None:
    """A buyer wrote: down the whole ladder (sections 4 and 5)."""
    case = Case(shop, buyer, message)
    rung = _decide(case, QIANNIU if case.plan.qianniu else PINDUODUO)
    owner_id = buyer.owner_id
    _assign(case, rung, rung)
    if owner_id is not None and buyer.owner_id != owner_id and shop.agents[owner_id].available:
        drain_message_pool(shop, favoured=owner_id)  # T4, as section 13 extends it


def route_to_group(shop: Shop, buyer: Buyer, giver_id: str) -> None:
    """Y8: a waiting buyer was transferred to a group, and is routed at once, without the agent who gave it away."""
    assert buyer.message is not None, "a waiting buyer has a message"  # noqa: S101
    case = Case(shop, buyer, buyer.message, without=(giver_id,), robots=False)
    rung = _decide(case, QIANNIU_TRANSFER if case.plan.qianniu else PINDUODUO_TRANSFER)
    _assign(case, rung, rung if rung in UNATTENDED and rung != "offline_receiver" else "group_transfer")


def rescue_buyers(shop: Shop, agent: Agent, t0_ms: int) -> None:
    """L7: the buyers of an agent who is offline since `t0_ms` are routed again, as the shop's `rescue` says."""
    config = shop.plan.config
    if config.rescue == "none" or not config.offline_diversion:
        return
    buyers = list(agent.waiting.values()) if config.rescue == "all_pending" else stranded_buyers(agent, t0_ms)
    for buyer in sorted(buyers, key=place_in_line):
        _rescue(shop, buyer, agent.agent_id)


def rescue_misdirected(shop: Shop, buyer: Buyer, agent_id: str) -> None:
    """Y9: a waiting buyer was transferred to an agent who cannot answer; it is rescued if the shop rescues at all."""
    config = shop.plan.config
    if config.rescue != "none" and config.offline_diversion:
        _rescue(shop, buyer, agent_id)


def _rescue(shop: Shop, buyer: Buyer, agent_id: str) -> None:
    case = _again(shop, buyer, without=(agent_id,))
    rung = _decide(case, QIANNIU if case.plan.qianniu else PINDUODUO)
    found = case.kind == "agent" and rung != "leave_message"  # Y6 leaves the message with an agent
    _assign(case, rung, "stranded_rescue" if found else rung)
    shop.stats.rescued_buyers += 1


def stranded_buyers(agent: Agent, t0_ms: int) -> list[Buyer]:
    """L6: the buyers assigned or transferred to the agent at or after `t0_ms` who wait for it, the newest first."""
    return list(takewhile(lambda buyer: buyer.assigned_ms >= t0_ms, reversed(agent.waiting.values())))


def reassign_without_reply(shop: Shop, buyer: Buyer) -> bool:
    """X2: the buyer has waited long enough for its owner, so it is routed to another, if there is one.

    Returns:
        Whether it was taken from its owner.
    """
    owner_id = buyer.owner_id
    assert owner_id is not None, "X2 is about a buyer who waits for somebody"  # noqa: S101
    case = _again(shop, buyer, without=buyer.waited_for)
    rung = _decide(case, QIANNIU if case.plan.qianniu else PINDUODUO)
    if rung in UNATTENDED:
        if not _leaves_message(case, owner_id):
            buyer.no_reply_doublings += 1
            buyer.owned_since_ms = shop.clock_ms
            refresh(shop, shop.agents[owner_id])
            set_no_reply_timer(shop, buyer)
            shop.changed_buyers.add(buyer.buyer_id)
            return False
        rung = "leave_message"
    buyer.no_reply_moves += 1
    shop.stats.no_reply_moves += 1
    if case.share_pool is not None and shop.known(owner_id):
        charge(shop, case.share_pool, shop.agents[owner_id], case.compared_weight)  # Y14
    _assign(case, rung, "no_reply")
    if buyer.owner_id != owner_id:
        take_from(shop, buyer, shop.agents[owner_id])
    return True


def _leaves_message(case: Case, owner_id: str) -> bool:
    """Y10: whether a buyer whom nobody else can take goes where messages are left, and not to its owner again."""
    if case.plan.config.no_reply_else != "leave_message":
        return False
    case.weight = case.candidate_count = case.push = None
    leave_message_anyway(case)
    case.trace[-1] = ("leave_message", "taken")
    return case.target_id != owner_id


def drain_message_pool(shop: Shop, favoured: str | None = None) -> None:
    """T4: the pool's buyers are routed in order while there is room; `favoured` has room for one in any case."""
    if not shop.plan.config.pool_drain:
        return
    if favoured is not None and not shop.agents[favoured].online:
        favoured = None
    ladder = QIANNIU_DRAIN if shop.plan.qianniu else PINDUODUO_DRAIN
    passed = None
    while (passed := next_to_drain(shop, favoured, passed)) is not None:
        buyer = shop.buyers[passed[-1]]
        case = _again(shop, buyer, without=buyer.taken_from, drain=True, favoured=favoured)
        rung = climb(case, ladder)
        if rung is not None:
            _assign(case, rung, "pool_drained")
            if case.target_id == favoured:
                favoured = None  # F3


def _decide(case: Case, ladder: Ladder) -> str:
    """Down a ladder of which the last rung takes every message; the buyer does not count where it waits (X1, F10)."""
    owner_id = case.buyer.owner_id
    if owner_id is not None:
        owner = case.shop.agents[owner_id]
        if owner.limit is not None:
            refresh(case.shop, owner, uncounted=1)
    rung = climb(case, ladder)
    assert rung is not None, "the last rung takes every message"  # noqa: S101
    return rung


def _again(
    shop: Shop, buyer: Buyer, *, without: tuple[str, ...] = (), drain: bool = False, favoured: str | None = None
) -> Case:
    """The newest message of a waiting buyer, once more: without robots, past full agents (L7, F4)."""
    assert buyer.message is not None, "a waiting buyer has a message"  # noqa: S101
    return Case(shop, buyer, buyer.message, without=without, robots=False, strict=True, drain=drain, favoured=favoured)


def place_in_line(buyer: Buyer) -> tuple[int, int]:
    """T4, Y7: by descending priority, then in the order of the first waiting message."""
    return -buyer.priority, buyer.first_seq


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
    if buyer.given_away_by == target_id:
        buyer.given_away_by = None  # Y12
    if account is not None and rung not in KEEPS_LAST_CONTACT:
        shop.set_contact(buyer, account)
    shop.touch(buyer)
    if account is not None:
        wait_for(shop, buyer, account)
    elif kind == "message_pool":
        wait_in_message_pool(shop, buyer)
    else:
        stop_waiting(shop, buyer)
