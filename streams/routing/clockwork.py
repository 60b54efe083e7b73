"""Timers by the shop's clock (O1): detection, expiry and no-reply, each at its deadline, and then forgetting (T6)."""

from heapq import heapify, heappop
from itertools import takewhile

from streams.routing.assign import drain_message_pool, reassign_without_reply
from streams.routing.forgetting import forget_idle, next_idle_ms
from streams.routing.presence import detected, next_look_ms, suspend_for_silence
from streams.routing.state import NEVER_MS, Shop
from streams.routing.ties import forget_takers, unbind
from streams.routing.waiting import stop_waiting

_SLACK = 16
"""So many entries of buyers who wait no more may lie in the heap of no-replies."""


def fire_due(shop: Shop, until_ms: int) -> None:
    """Fire every timer due at or before an instant, in order of (deadline, kind, id), each at its deadline."""
    while True:
        detection_ms, forget_ms, no_reply_ms = _detection_ms(shop), _forget_ms(shop), _no_reply_ms(shop)
        first_ms, idle_ms = min(detection_ms, forget_ms, no_reply_ms), next_idle_ms(shop)
        if min(first_ms, idle_ms) > until_ms:
            shop.wake_ms = min(first_ms, idle_ms)
            return
        if idle_ms < first_ms:
            forget_idle(shop, idle_ms)
            continue
        shop.changed = True
        shop.clock_ms = max(shop.clock_ms, first_ms)
        shop.stats.fired_deadlines_ms.append(first_ms)
        if detection_ms == first_ms:
            _detect(shop)
        elif forget_ms == first_ms:
            _forget(shop)
        else:
            _reassign(shop)


def next_deadline_ms(shop: Shop) -> int:
    """When the shop's next timer is due; `NEVER_MS` without one."""
    return min(_detection_ms(shop), _forget_ms(shop), _no_reply_ms(shop), next_idle_ms(shop))


def _detection_ms(shop: Shop) -> int:
    """When the first detection is due (L3, L9); what stands before it moved on, or came too early."""
    detections = shop.detections
    while detections:
        at_ms, agent_id = detections[0]
        agent = shop.agents.get(agent_id)
        if agent is not None and agent.queued_ms == at_ms:
            next_ms = next_look_ms(shop, agent, at_ms)
            if next_ms == at_ms:
                return at_ms
            heappop(detections)
            agent.queued_ms = NEVER_MS
            shop.look_at(agent, next_ms)
        else:
            heappop(detections)
    return NEVER_MS


def _detect(shop: Shop) -> None:
    deadline_ms, agent_id = heappop(shop.detections)
    agent = shop.agents[agent_id]
    agent.queued_ms = NEVER_MS
    detected(shop, agent, deadline_ms)


def _no_reply_ms(shop: Shop) -> int:
    """When the buyer that has waited for its owner for longest is routed again (X2)."""
    heap = shop.no_reply_heap
    if len(heap) > 2 * len(shop.no_replies) + _SLACK:
        heap[:] = [(deadline_ms, buyer_id) for buyer_id, deadline_ms in shop.no_replies.items()]
        heapify(heap)
    while heap:
        deadline_ms, buyer_id = heap[0]
        if shop.no_replies.get(buyer_id) == deadline_ms:
            return deadline_ms
        heappop(heap)
    return NEVER_MS


def _reassign(shop: Shop) -> None:
    """X2: route the buyer whose time has come; of several the one with the smallest id."""
    _, buyer_id = heappop(shop.no_reply_heap)
    del shop.no_replies[buyer_id]
    buyer = shop.buyers[buyer_id]
    owner = shop.agents[buyer.owner_id or ""]
    if reassign_without_reply(shop, buyer):
        suspend_for_silence(shop, owner)
        drain_message_pool(shop)


def _forget_ms(shop: Shop) -> int:
    """When the buyer that has been still for longest is forgotten (T5)."""
    for buyer in shop.buyers.values():
        return buyer.last_ms + shop.plan.forget_after_ms + 1
    return NEVER_MS


def _forget(shop: Shop) -> None:
    """T5: forget the buyers whose time has come, in order of id. This drains nothing."""
    still_since_ms = next(iter(shop.buyers.values())).last_ms
    for buyer in list(takewhile(lambda buyer: buyer.last_ms == still_since_ms, shop.buyers.values())):
        forget_takers(shop, buyer)
        unbind(shop, buyer)
        if buyer.owner_id is not None or buyer.in_pool:
            shop.stats.expired_buyers += 1
            stop_waiting(shop, buyer)
        shop.release_contact(buyer)
        del shop.buyers[buyer.buyer_id]
        shop.gauges.buyer_keys -= 1
        shop.changed_buyers.add(buyer.buyer_id)
