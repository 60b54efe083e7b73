"""The mixed events of many shops with every rule on, as records of the input topics in order of event time.

Half of the shops are of each policy; in half of each the buyers come back, in the others every buyer is new. Of 72
events 30 are messages, 30 replies and 12 heartbeats and network drops.
"""

import heapq
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice

import msgspec
import orjson

from schemas.codec import TYPE_OF_TOPIC, Event, Topic
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfigChange
from streams.settings import Settings
from streams.simulate.publisher import Publisher, publisher
from streams.simulate.record import Record
from tests.bench.workload import AGENT_PACE_MS, START_MS, Scene, buyer_id, endless_traffic, settings

AGENTS = 10
_TOPICS: dict[type[Event], Topic] = {
    BuyerMessage: "buyer-messages",
    AgentStatus: "agent-status",
    AgentReply: "agent-replies",
}


def mixed_records(shops: int, events: int) -> Iterator[Record]:
    """So many records over all shops. Times lie in the past, some seconds of each shop apart."""
    return islice(heapq.merge(*(_of_shop(number) for number in range(shops))), events)


def first_messages(shops: int, buyers: int) -> Iterator[Record]:
    """Every buyer writes once to a shop with the settings that a platform has by default: one remembered key each."""
    for number in range(buyers):
        shop = number % shops
        event = BuyerMessage(
            event_id=f"m-{number:012d}",
            shop_id=shop_id(shop),
            buyer_id=buyer_id(number),
            occurred_at_ms=START_MS + number * AGENT_PACE_MS // 1000,
        )
        yield _record(shop, event)


def shop_id(number: int) -> str:
    """As the platforms number shops."""
    return f"taobao:{2208457139 + number}"


@asynccontextmanager
async def published(settings: Settings, records: Iterator[Record]) -> AsyncIterator[Publisher]:
    """Publish a backlog; the publisher stays open for more."""
    async with publisher(settings) as out:
        await out.publish(records)
        yield out


def _of_shop(number: int) -> Iterator[Record]:
    scene = Scene(
        AGENTS,
        policy="pinduoduo" if number % 2 else "qianniu",
        buyers="returning" if number // 2 % 2 else "new",
        shop_id=shop_id(number),
    )
    opening, blocks = endless_traffic(scene)
    yield from (_record(number, event, scene) for event in opening)
    for block in blocks:
        yield from (_record(number, message) for message in block.messages)
        yield from (_record(number, event) for event in block.others)


def _record(shop: int, event: Event, scene: Scene | None = None) -> Record:
    if isinstance(event, ShopConfigChange):
        assert scene is not None
        named: dict[str, object] = {"shop_id": event.shop_id, "occurred_at_ms": event.occurred_at_ms, **settings(scene)}
        topic: Topic = "shop-configs"
    else:
        named = {name: value for name, value in msgspec.to_builtins(event).items() if value is not None}
        topic = _TOPICS[type(event)]
    document = {"type": TYPE_OF_TOPIC[topic], **named}
    return Record(event.occurred_at_ms, shop, topic, event.shop_id.encode(), orjson.dumps(document))
