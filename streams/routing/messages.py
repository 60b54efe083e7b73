"""What buyers and agents say: messages (O4, T1) and replies (T2, T3, X3)."""

from schemas.events import AgentReply, BuyerMessage
from streams.routing.assign import drain_message_pool, route_message
from streams.routing.draws import digest
from streams.routing.presence import noticed
from streams.routing.records import Buyer
from streams.routing.state import Shop
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
    if not buyer.waiting_messages:
        buyer.first_ms = shop.clock_ms
        buyer.first_seq = shop.next_seq
        shop.next_seq += 1
    buyer.waiting_messages += 1
    route_message(shop, buyer, event)


def apply_reply(shop: Shop, event: AgentReply) -> None:
    """An agent answered, closed or transferred a buyer. `auto` moves the clock and nothing else (T2)."""
    if event.kind == "auto":
        shop.stats.auto_replies += 1
        return
    agent = shop.agent(event.agent_id)
    noticed(shop, agent, event.occurred_at_ms)
    if event.to_agent_id is not None:
        to_agent = shop.agent(event.to_agent_id)
        to_agent.seen = True
        to_agent.last_ms = shop.clock_ms
        shop.changed_agents.add(to_agent.agent_id)
    buyer = shop.buyer(event.buyer_id)
    owner_id = buyer.owner_id
    if event.kind == "transfer" and event.to_agent_id is not None:
        to_agent = shop.agents[event.to_agent_id]
        shop.set_contact(buyer, to_agent)
        buyer.holder = to_agent.agent_id
        if buyer.waiting_messages:  # for its owner, in the pool, or with a robot
            wait_for(shop, buyer, to_agent)
    else:
        shop.set_contact(buyer, agent)
        buyer.holder = agent.agent_id
        _answer(shop, buyer)
    shop.release(agent)
    if owner_id is not None and buyer.owner_id != owner_id and shop.known(owner_id):
        drain_message_pool(shop, favoured=owner_id)  # T4: it was taken from an agent


def _answer(shop: Shop, buyer: Buyer) -> None:
    """A human answered, so nothing waits any more."""
    if buyer.owner_id is not None or buyer.in_pool:
        shop.stats.reply_times_ms.append(shop.clock_ms - buyer.first_ms)
        stop_waiting(shop, buyer)
    buyer.message = None
    buyer.waiting_messages = 0
    buyer.waited_for = ()
    buyer.no_reply_moves = 0


def contains_digest(digests: bytes, wanted: bytes) -> bool:
    """Whether one of the digests in a row is the wanted one (O4)."""
    place = digests.find(wanted)
    while place > 0 and place % DIGEST_BYTES:  # found across two digests
        place = digests.find(wanted, place + 1)
    return place >= 0
