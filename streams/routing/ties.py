"""What ties a waiting buyer beside its owner: from whom X2 took it (Y10), and the group that it was given to (Y8)."""

from streams.routing.records import Buyer
from streams.routing.state import Agent, Shop


def take_from(shop: Shop, buyer: Buyer, agent: Agent) -> None:
    """Y10: X2 took the buyer from this agent, to whom no drain gives it back until it does something."""
    if agent.agent_id not in buyer.taken_from:
        buyer.taken_from = (*buyer.taken_from, agent.agent_id)
        shop.changed_buyers.add(buyer.buyer_id)
    agent.taken.add(buyer.buyer_id)


def forget_taken(shop: Shop, agent: Agent) -> bool:
    """Y10: the agent did something, so drains may give it those buyers again: whether one of them waits in the pool."""
    waits = False
    for buyer_id in agent.taken:
        buyer = shop.buyers[buyer_id]
        buyer.taken_from = tuple(each for each in buyer.taken_from if each != agent.agent_id)
        shop.changed_buyers.add(buyer_id)
        waits = waits or buyer.in_pool
    agent.taken.clear()
    return waits


def forget_takers(shop: Shop, buyer: Buyer) -> None:
    """Y10: a human answered the buyer, or it is forgotten."""
    for agent_id in buyer.taken_from:
        shop.agents[agent_id].taken.discard(buyer.buyer_id)
    buyer.taken_from = ()


def bind(shop: Shop, buyer: Buyer, group_id: str) -> None:
    """Y8: the buyer is for this group's agents from now on."""
    buyer.group_id = group_id
    shop.bound.add(buyer.buyer_id)
    shop.changed_buyers.add(buyer.buyer_id)


def unbind(shop: Shop, buyer: Buyer) -> None:
    """Y8: the buyer is for everybody again."""
    if buyer.group_id is not None:
        buyer.group_id = None
        shop.bound.discard(buyer.buyer_id)
        shop.changed_buyers.add(buyer.buyer_id)
