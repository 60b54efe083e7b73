"""What buyers and agents say: messages (O4, T1) and replies (T2, T3, X3)."""

from schemas.events import AgentReply, BuyerMessage
from streams.routing.assign import drain_message_pool, rescue_misdirected, route_message, route_to_group
from streams.routing.draws import digest
from streams.routing.presence import did_something, noticed
from streams.routing.records import Buyer
from streams.routing.state import Agent, Shop
from streams.routing.ties import bind, forget_takers, unbind
from streams.routing.waiting import stop_waiting, wait_for

REMEMBERED_IDS = 8
DIGEST_BYTES = 8


def apply_message(shop: Shop, event: BuyerMessage, late_ms: int) -> None:
    """A buyer wrote; a duplicate has no effect (O4)."""
    seen = digest(event.event_id)
    known = shop.buyers.get(event.buyer_id)
    if known is not None and contains_digest(known.digests, seen):
        shop.stats.duplicate_messages += 1
        return
    buyer = shop.buyer(event.buyer_id)
    buyer.digests = (buyer.digests + seen)[-REMEMBERED_IDS * DIGEST_BYTES :]
    buyer.message = event
    buyer.late_ms = late_ms
    buyer.assignments = 0
    buyer.wants_human = buyer.wants_human or event.wants_human  # Y13
    buyer.given_away_by = None  # Y12
    if not buyer.waiting_messages:
        buyer.first_ms = shop.clock_ms
        buyer.first_seq = shop.next_seq
        shop.next_seq += 1
    buyer.waiting_messages += 1
    if event.priority > buyer.priority:
        shop.prioritise(buyer, event.priority)
    route_message(shop, buyer, event)


def apply_reply(shop: Shop, event: AgentReply) -> None:
    """An agent answered, closed or transferred a buyer. `auto` moves the clock and nothing else (T2)."""
    if event.kind == "auto":
        shop.stats.auto_replies += 1
        return
    agent = shop.agent(event.agent_id)
    noticed(shop, agent, event.occurred_at_ms)
    buyer = shop.buyer(event.buyer_id)
    owner_id = buyer.owner_id
    if event.kind == "transfer" and event.to_group_id is not None:
        _transfer_to_group(shop, buyer, agent, event.to_group_id)
    elif event.kind == "transfer" and event.to_agent_id is not None:
        _transfer_to_agent(shop, buyer, agent, event.to_agent_id)
    elif event.kind == "reply" and buyer.given_away_by == agent.agent_id:
        shop.stats.farewells += 1  # Y12
    else:
        shop.set_contact(buyer, agent)
        buyer.holder = agent.agent_id
        _answer(shop, buyer)
    may_drain = did_something(shop, agent, answered=event.kind != "transfer")
    shop.release(agent)
    if owner_id is not None and buyer.owner_id != owner_id and shop.known(owner_id):
        drain_message_pool(shop, favoured=owner_id)  # T4: it was taken from an agent
    elif may_drain:
        drain_message_pool(shop)


def _transfer_to_agent(shop: Shop, buyer: Buyer, agent: Agent, to_id: str) -> None:
    """T2, T3: the buyer waits for another, who is its contact at once; Y9 if that one cannot answer."""
    known = shop.known(to_id)
    to_agent = shop.agent(to_id)
    to_agent.seen = True
    to_agent.last_ms = shop.clock_ms
    shop.changed_agents.add(to_id)
    unbind(shop, buyer)
    buyer.given_away_by = None if to_id == agent.agent_id else agent.agent_id  # Y12
    shop.set_contact(buyer, to_agent)
    buyer.holder = to_agent.agent_id
    if buyer.waiting_messages:  # for its owner, in the pool, or with a robot
        wait_for(shop, buyer, to_agent)
    if not known:
        shop.stats.misdirect("agent_unknown")
    elif not to_agent.online:
        shop.stats.misdirect("agent_offline")
    else:
        return
    if buyer.waiting_messages:
        rescue_misdirected(shop, buyer, to_id)


def _transfer_to_group(shop: Shop, buyer: Buyer, agent: Agent, group_id: str) -> None:
    """Y8: the buyer is for a group's agents; one who waits is routed at once."""
    if group_id not in shop.plan.single_groups:
        shop.stats.misdirect("group_unknown")  # Y9
        return
    bind(shop, buyer, group_id)
    buyer.given_away_by = agent.agent_id  # Y12
    if buyer.waiting_messages:
        route_to_group(shop, buyer, agent.agent_id)


def _answer(shop: Shop, buyer: Buyer) -> None:
    """A human answered, so nothing waits any more."""
    if buyer.owner_id is not None or buyer.in_pool:
        shop.stats.reply_times_ms.append(shop.clock_ms - buyer.first_ms)
        stop_waiting(shop, buyer)
    forget_takers(shop, buyer)
    unbind(shop, buyer)
    buyer.message = None
    buyer.waiting_messages = 0
    buyer.waited_for = ()
    buyer.no_reply_moves = 0
    buyer.priority = 0
    buyer.wants_human = False
    buyer.given_away_by = None


def contains_digest(digests: bytes, wanted: bytes) -> bool:
    """Whether one of the digests in a row is the wanted one (O4)."""
    place = digests.find(wanted)
    while place > 0 and place % DIGEST_BYTES:  # found across two digests
        place = digests.find(wanted, place + 1)
    return place >= 0
