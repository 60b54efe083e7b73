"""What happens to buyers: their messages, and what agents do with them (section 7, Y7 to Y13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.decisions import AgentPresence, Assignment, Target
from tests.reference import decide, share
from tests.reference.agents import left_in_again, seen
from tests.reference.presence import lift, publish
from tests.reference.state import HUMAN_KINDS, Buyer, Shop

if TYPE_CHECKING:
    from schemas.events import AgentReply, BuyerMessage

Decision = Assignment | AgentPresence


def remembered(shop: Shop, buyer_id: str) -> Buyer:
    """T5: the buyer's record, which an event of the buyer keeps."""
    buyer = shop.buyers.setdefault(buyer_id, Buyer(buyer_id, shop.clock_ms))
    buyer.last_ms = shop.clock_ms
    return buyer


def apply_message(shop: Shop, event: BuyerMessage) -> list[Decision]:
    """O4, T4's waiting_messages, Y7, Y12, Y13, then the ladder."""
    late_ms = shop.clock_ms - event.occurred_at_ms  # O3
    if event.buyer_id in shop.buyers and event.event_id in shop.buyers[event.buyer_id].last_event_ids:
        return []  # O4
    buyer = remembered(shop, event.buyer_id)
    buyer.last_event_ids = [*buyer.last_event_ids, event.event_id][-8:]
    if buyer.waiting_messages == 0:
        shop.messages_seen += 1
        buyer.place = shop.messages_seen  # L7, T4: by the first waiting message
    buyer.waiting_messages += 1
    buyer.priority = max(buyer.priority, event.priority)
    buyer.asked_for_human = buyer.asked_for_human or event.wants_human
    buyer.given_away_by = None
    buyer.message = event
    buyer.late_ms = late_ms
    buyer.times_assigned = 0
    return [*decide.route_message(shop, buyer)]


def apply_reply(shop: Shop, event: AgentReply) -> list[Decision]:
    """T2, T3, Y8 to Y12. First the buyer, then the agent's suspension, then one drain (fine print of 13)."""
    if event.kind == "auto":
        return []  # T2: it moves the clock and nothing else
    target_was_known = event.to_agent_id is not None and shop.known(event.to_agent_id)
    was_available = shop.available(event.agent_id)
    seen(shop, event.agent_id, event.occurred_at_ms)
    buyer = remembered(shop, event.buyer_id)
    owner = buyer.owner
    decisions: list[Decision] = []
    if event.kind == "transfer" and event.to_group_id is not None:
        decisions += transfer_to_group(shop, buyer, event.agent_id, event.to_group_id)
    elif event.kind == "transfer":
        assert event.to_agent_id is not None, "section 1"
        decisions += transfer_to_agent(shop, buyer, event.agent_id, event.to_agent_id, target_was_known)
    elif event.kind == "reply" and buyer.given_away_by == event.agent_id:
        shop.applied["Y12"] += 1
        shop.counted["farewells"] += 1  # Y12: it answers nothing and is no contact
    else:
        buyer.contact = (event.agent_id, shop.clock_ms)
        buyer.holder = event.agent_id
        answered(buyer)
    freed = left_in_again(shop, event.agent_id)  # Y10: by a reply, a close or a transfer
    shop.no_reply_takes[event.agent_id] = 0  # Y11
    if event.kind != "transfer" and shop.suspensions.get(event.agent_id) == "no_reply":
        lift(shop, event.agent_id)  # Y11
    share.level(shop)
    decisions += publish(shop, event.agent_id, shop.clock_ms)
    # An owner that is no agent (a robot, the pool, an account: F6) lost nothing that makes room.
    loses = owner is not None and owner.kind in HUMAN_KINDS and shop.known(owner.id)
    if owner is not None and loses and decide.waits_elsewhere(buyer, owner):
        return [*decisions, *decide.drain(shop, spare=owner.id)]
    if freed or (shop.available(event.agent_id) and not was_available):
        decisions += decide.drain(shop)
    return decisions


def answered(buyer: Buyer) -> None:
    """T2, X2, Y7, Y8, Y10, Y12, Y13: a human answered; nothing waits any more."""
    buyer.owner = None
    buyer.waiting_messages = 0
    buyer.waited_for = []
    buyer.no_reply_moves = 0
    buyer.taken_from = []
    buyer.priority = 0
    buyer.asked_for_human = False
    buyer.group_id = None
    buyer.given_away_by = None


def transfer_to_agent(
    shop: Shop, buyer: Buyer, agent_id: str, to_agent_id: str, target_was_known: bool
) -> list[Decision]:
    """T2, T3, Y9, Y12."""
    misdirected = not target_was_known or not shop.believed_online(to_agent_id)
    if misdirected:
        shop.counted["agent_offline" if target_was_known else "agent_unknown"] += 1
    seen(shop, to_agent_id, None)
    buyer.contact = (to_agent_id, shop.clock_ms)
    buyer.holder = to_agent_id
    buyer.group_id = None  # Y8: it is transferred again
    buyer.given_away_by = None if to_agent_id == agent_id else agent_id  # Y12
    if buyer.owner is None:
        return []
    decide.give(shop, buyer, Target("agent", to_agent_id))
    share.level(shop)
    if not misdirected or not decide.rescues(shop):
        return []
    shop.applied["Y9"] += 1
    return [decide.rescue_one(shop, buyer, to_agent_id)]


def transfer_to_group(shop: Shop, buyer: Buyer, agent_id: str, group_id: str) -> list[Decision]:
    """Y8, Y9, Y12. The last contact stays as it was."""
    if shop.group(group_id) is None:
        shop.counted["group_unknown"] += 1  # Y9: no other effect
        return []
    buyer.group_id = group_id
    buyer.given_away_by = agent_id
    return [] if buyer.owner is None else [decide.group_transfer(shop, buyer, agent_id)]
