"""Events for the benches: shops of any size, with next to no settings or with every rule on.

The router itself says, while the events are made, who answers whom; so a run over them is a steady state.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Literal

from schemas.codec import Event, parse_settings
from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfigChange
from streams.routing import Router

SHOP_ID = "taobao:2208457139"
START_MS = 1_762_821_000_000
MESSAGES_PER_AGENT = 3
"""In a block, before all are answered: some agents come to be busy, and some to be full."""
AGENT_PACE_MS = 10_000
"""An agent gets a message so often, whatever the size of the shop."""
ORDER_STATES = ("no_order", "unpaid", "paid", "shipped", "completed")

Policy = Literal["qianniu", "pinduoduo"]
Buyers = Literal["new", "returning"]


@dataclass(frozen=True, slots=True)
class Scene:
    """One kind of traffic in one shop."""

    agents: int
    policy: Policy = "qianniu"
    all_rules: bool = True
    buyers: Buyers = "new"
    shop_id: str = SHOP_ID

    def __str__(self) -> str:
        rules = "all rules on" if self.all_rules else "default settings"
        return f"{self.agents:,} agents, {self.policy}, {rules}, {self.buyers} buyers"


@dataclass(frozen=True, slots=True)
class Block:
    """Messages, and then what happens until all of them are answered."""

    messages: list[BuyerMessage]
    others: list[Event]


@dataclass(frozen=True, slots=True)
class Traffic:
    """A shop opens (`opening`), and works for some blocks."""

    opening: list[Event]
    blocks: list[Block]


def agent_id(number: int) -> str:
    """As the platforms name sub-accounts."""
    return f"森林旗舰店:客服{number:05d}"


def buyer_id(number: int) -> str:
    """As long as the platforms' encrypted buyer ids mostly are."""
    return f"AAF{number:09d}x7Qk2"


def settings(scene: Scene) -> dict[str, object]:
    """A shop_config document: with every rule on, though buyers ask for humans, so that nothing ends early."""
    if not scene.all_rules:
        return {"policy": scene.policy}
    ids = [agent_id(number) for number in range(scene.agents)]
    return {
        "policy": scene.policy,
        "agents": [{"agent_id": each, "weight": 100 + 50 * (place % 5)} for place, each in enumerate(ids)],
        "mobile_diversion": True,
        "expect_heartbeats": True,
        "rescue": "all_pending",
        "recent_contact_window_h": 72,
        "dedicated_direct": True,
        "dedicated_agents": {buyer_id(100 * place): each for place, each in enumerate(ids[:100])},
        "robot_first": True,
        "robot_when_unattended": True,
        "leave_message": {"to": "main_account", "main_account_id": "森林旗舰店"},
        "groups": [
            {"group_id": "售前", "order_states": ["unpaid", "paid"], "robot": True, "agent_ids": ids[0::2]},
            {"group_id": "售后", "order_states": ["completed", "paid"], "robot": True, "agent_ids": ids[1::2]},
        ],
        "unbound_order_state": "random_group",
        "pages": [{"page": "item", "agent_ids": ids[0::2]}, {"page": "refund", "agent_ids": ids[1::2]}],
        "offline_receivers": ids[:2],
        "default_max_pending": 8,
        "full_keeps_recent": False,
        "no_reply_reassign_s": 180,
        "no_reply_limit": 2,
    }


def config_change(shop_id: str, document: dict[str, object]) -> ShopConfigChange:
    """The settings as the codec would read them from the topic."""
    config, version, given = parse_settings(document)
    return ShopConfigChange(shop_id=shop_id, occurred_at_ms=START_MS, settings=config, version=version, given=given)


def traffic(scene: Scene, messages: int) -> Traffic:
    """At least two blocks and so many messages; the first block warms up, and makes returning buyers return."""
    per_block = MESSAGES_PER_AGENT * scene.agents
    blocks_wanted = 1 + max(1, round(messages / per_block))
    opening, blocks = endless_traffic(scene)
    return Traffic(opening, list(islice(blocks, blocks_wanted)))


def endless_traffic(scene: Scene) -> tuple[list[Event], Iterator[Block]]:
    """The opening of a shop, and its blocks, made one after another when asked for."""
    router = Router()
    opening: list[Event] = [config_change(scene.shop_id, settings(scene)), *_online(scene, START_MS)]
    for event in opening:
        router.apply(event)
    return opening, (_block(scene, router, number) for number in count())


def _block(scene: Scene, router: Router, number: int) -> Block:
    """One agent's network drops and comes back in time, everybody writes, everybody is answered."""
    per_block = MESSAGES_PER_AGENT * scene.agents
    start_ms = START_MS + 1000 + number * (AGENT_PACE_MS * MESSAGES_PER_AGENT + 1000)
    first = 0 if scene.buyers == "returning" else number * per_block
    owners: dict[str, str] = {}
    messages = []
    for place in range(per_block):
        message = _message(scene, f"m-{number:06d}-{place:06d}-8d1f", first + place, place, start_ms)
        messages.append(message)
        _note_owners(router, message, owners)
    others: list[Event] = []
    for event in _aftermath(scene, messages, owners, number):
        others.append(event)
        _note_owners(router, event, owners)
    return Block(messages, others)


def new_message(scene: Scene, number: int) -> BuyerMessage:
    """The message of a new buyer, each a little after the one before."""
    return _message(scene, f"m-{number:06d}-8d1f", number, number, START_MS + 1000)


def _message(scene: Scene, event_id: str, buyer: int, place: int, start_ms: int) -> BuyerMessage:
    return BuyerMessage(
        event_id=event_id,
        shop_id=scene.shop_id,
        buyer_id=buyer_id(buyer),
        occurred_at_ms=start_ms + place * AGENT_PACE_MS // scene.agents,
        order_state=ORDER_STATES[place % len(ORDER_STATES)],
        entry_page=("item", "refund", "live")[place % 3],
        wants_human=True,
    )


def _aftermath(scene: Scene, messages: list[BuyerMessage], owners: dict[str, str], number: int) -> Iterator[Event]:
    end_ms = messages[-1].occurred_at_ms + 100
    for place, message in enumerate(messages):
        yield AgentReply(
            event_id=f"r-{message.event_id}",
            shop_id=scene.shop_id,
            agent_id=owners[message.buyer_id],
            buyer_id=message.buyer_id,
            occurred_at_ms=end_ms + place * 300 // len(messages),
        )
    yield from _online(scene, end_ms + 500)  # heartbeats
    dropped = agent_id(number % scene.agents)
    yield _status(scene, dropped, "offline", end_ms + 600)
    yield _status(scene, dropped, "online", end_ms + 700)


def _note_owners(router: Router, event: Event, owners: dict[str, str]) -> None:
    for decision in router.apply(event):
        if isinstance(decision, Assignment):
            owners[decision.buyer_id] = decision.target.id


def _online(scene: Scene, at_ms: int) -> Iterator[AgentStatus]:
    return (_status(scene, agent_id(number), "online", at_ms) for number in range(scene.agents))


def _status(scene: Scene, agent: str, status: Literal["online", "offline"], at_ms: int) -> AgentStatus:
    return AgentStatus(
        event_id=f"s-{agent}-{at_ms}", shop_id=scene.shop_id, agent_id=agent, occurred_at_ms=at_ms, status=status
    )
