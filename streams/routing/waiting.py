"""Who waits for whom (T1 to T4): the one place where a buyer's owner changes.

Pending replies are the length of an agent's `waiting`; moving a buyer moves the count.
"""

from heapq import heappush

from streams.routing.plan import HOUR_MS
from streams.routing.records import Buyer
from streams.routing.standing import refresh
from streams.routing.state import Agent, Shop

MANY = 32
"""So many doublings make any wait longer than an hour."""


def wait_for(shop: Shop, buyer: Buyer, owner: Agent) -> None:
    """The buyer waits for this account from now on, or still does (T1)."""
    if buyer.owner_id != owner.agent_id:
        stop_waiting(shop, buyer)
        owner.waiting[buyer.buyer_id] = buyer
        owner.last_ms = shop.clock_ms
        shop.gauges.pending_replies += 1
        buyer.owner_id = owner.agent_id
        buyer.owned_since_ms = shop.clock_ms
        buyer.no_reply_doublings = 0  # F10: a new wait
        if owner.agent_id not in buyer.waited_for:
            buyer.waited_for = (*buyer.waited_for, owner.agent_id)
        _pending_changed(shop, owner)
        set_no_reply_timer(shop, buyer)
    else:
        owner.waiting[buyer.buyer_id] = owner.waiting.pop(buyer.buyer_id)  # to the end: assigned last
        if owner.limit is not None:
            refresh(shop, owner)  # the buyer counts again (X1)
    buyer.assigned_ms = shop.clock_ms


def wait_in_message_pool(shop: Shop, buyer: Buyer) -> None:
    """The buyer waits in the message pool, in its old place if it was there (T4)."""
    if not buyer.in_pool:
        stop_waiting(shop, buyer)
        shop.enter_message_pool(buyer)


def stop_waiting(shop: Shop, buyer: Buyer) -> None:
    """The buyer waits for nobody."""
    shop.leave_message_pool(buyer)
    if buyer.owner_id is None:
        return
    owner = shop.agents[buyer.owner_id]
    buyer.owner_id = None
    del owner.waiting[buyer.buyer_id]
    shop.no_replies.pop(buyer.buyer_id, None)
    shop.gauges.pending_replies -= 1
    _pending_changed(shop, owner)
    if not owner.waiting:
        shop.release(owner)


def no_reply_deadline_ms(shop: Shop, buyer: Buyer) -> int | None:
    """X2: when the buyer has waited long enough for its owner; None if nothing will happen then."""
    after_ms = shop.plan.no_reply_ms
    if after_ms is None or buyer.owner_id is None:
        return None
    if buyer.no_reply_moves >= shop.plan.config.no_reply_limit:
        return None
    # Y10: twice as long each time, up to an hour, or to the setting if that is longer.
    wait_ms = min(after_ms << min(buyer.no_reply_doublings, MANY), max(after_ms, HOUR_MS))
    return max(buyer.owned_since_ms, shop.no_reply_since_ms) + wait_ms


def set_no_reply_timer(shop: Shop, buyer: Buyer) -> None:
    """X2: look at the buyer again if its owner does not answer."""
    deadline_ms = no_reply_deadline_ms(shop, buyer)
    if deadline_ms is not None:
        shop.no_replies[buyer.buyer_id] = deadline_ms
        heappush(shop.no_reply_heap, (deadline_ms, buyer.buyer_id))
        shop.wake_by(deadline_ms)


def _pending_changed(shop: Shop, owner: Agent) -> None:
    shop.changed_agents.add(owner.agent_id)
    refresh(shop, owner)
