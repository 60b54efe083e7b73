"""Timers by the shop's clock (O1): detection, expiry and no-reply, each at its deadline."""

from heapq import heappop, heappush

from streams.routing.assign import reassign_without_reply
from streams.routing.presence import detected
from streams.routing.state import NEVER_MS, Buyer, Shop, TimerKind
from streams.routing.waiting import no_reply_deadline_ms, stop_waiting


def fire_due(shop: Shop, until_ms: int) -> None:
    """Fire every timer due at or before an instant, in order of (deadline, kind, id), each at its deadline."""
    while True:
        forget_ms = _forget_ms(shop)
        deadline_ms, kind, subject_id = _next_timer(shop)
        first_ms = min(forget_ms, deadline_ms)
        if first_ms > until_ms:
            shop.wake_ms = first_ms
            return
        shop.changed = True
        shop.clock_ms = max(shop.clock_ms, first_ms)
        if (forget_ms, TimerKind.EXPIRY) < (deadline_ms, kind):
            _forget(shop)
            continue
        heappop(shop.timers)
        if kind is TimerKind.DETECTION:
            agent = shop.agents[subject_id]
            agent.queued_ms = NEVER_MS
            detected(shop, agent, deadline_ms)
        else:
            reassign_without_reply(shop, shop.buyers[subject_id])


def next_deadline_ms(shop: Shop) -> int:
    """When the shop's next timer is due; `NEVER_MS` without one."""
    return min(_forget_ms(shop), _next_timer(shop)[0])


def _next_timer(shop: Shop) -> tuple[int, TimerKind, str]:
    """The first detection or no-reply timer that still holds; stale ones before it go."""
    timers = shop.timers
    while timers:
        deadline_ms, kind, subject_id = timers[0]
        if kind is TimerKind.DETECTION:
            agent = shop.agents[subject_id]
            if agent.deadline_ms == deadline_ms:
                return timers[0]
            heappop(timers)
            if agent.queued_ms == deadline_ms:  # it moved on: look again then
                agent.queued_ms = agent.deadline_ms
                if agent.deadline_ms != NEVER_MS:
                    heappush(timers, (agent.deadline_ms, kind, subject_id))
        else:
            buyer = shop.buyers.get(subject_id)
            if buyer is not None and no_reply_deadline_ms(shop, buyer) == deadline_ms:
                return timers[0]
            heappop(timers)
    return NEVER_MS, TimerKind.NO_REPLY, ""


def _forget_ms(shop: Shop) -> int:
    """When the buyer that has been still for longest is forgotten (T5)."""
    for buyer in shop.buyers.values():
        return buyer.last_ms + shop.plan.forget_after_ms + 1
    return NEVER_MS


def _forget(shop: Shop) -> None:
    """T5: forget the buyers whose time has come, in order of id. This drains nothing."""
    still_since_ms = next(iter(shop.buyers.values())).last_ms
    going: list[Buyer] = []
    for buyer in shop.buyers.values():
        if buyer.last_ms != still_since_ms:
            break
        going.append(buyer)
    for buyer in going:
        if buyer.owner_id is not None or buyer.in_pool:
            shop.stats.expired_buyers += 1
            stop_waiting(shop, buyer)
        del shop.buyers[buyer.buyer_id]
        shop.gauges.buyer_keys -= 1
        shop.changed_buyers.add(buyer.buyer_id)
