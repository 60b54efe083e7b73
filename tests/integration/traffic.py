"""A few hours of a dozen shops, small and always the same, and what the pure core makes of it."""

import random
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from schemas.codec import RANK, InvalidEvent, Topic, decode, encode
from schemas.decisions import Assignment
from streams.partitioner import partition_of
from streams.routing import Merger, Router

SHOPS = tuple(f"shop-{number}" for number in range(12))
AGENTS = tuple(f"agent-{number}" for number in range(4))
BUYERS = 60
EVENT_EVERY_MS = 400


class Record(NamedTuple):
    """A record for an input topic."""

    topic: Topic
    key: bytes
    value: bytes | None


class Decided(NamedTuple):
    """The values that a partition's output topics must hold, in order."""

    assignments: list[bytes]
    presence: list[bytes]


def record(topic: Topic, event: dict[str, object]) -> Record:
    """An event, keyed by its shop."""
    return Record(topic, str(event["shop_id"]).encode(), orjson.dumps(event))


def message(shop: str, event_id: str, at_ms: int, buyer: str = "buyer-1") -> Record:
    """A buyer message."""
    return record(
        "buyer-messages",
        {"type": "buyer_message", "event_id": event_id, "shop_id": shop, "buyer_id": buyer, "occurred_at_ms": at_ms},
    )


def status(shop: str, agent: str, at_ms: int, what: str = "online") -> Record:
    """An agent status."""
    event = {"type": "agent_status", "event_id": f"s-{shop}-{agent}-{at_ms}", "shop_id": shop, "agent_id": agent}
    return record("agent-status", event | {"occurred_at_ms": at_ms, "status": what})


def config(shop: str, at_ms: int, **settings: object) -> Record:
    """The settings of a shop."""
    return record("shop-configs", {"type": "shop_config", "shop_id": shop, "occurred_at_ms": at_ms, **settings})


def traffic(count: int, *, seed: int = 1, hours_ago: int = 3) -> list[Record]:
    """Events of all four kinds in the order of their times: shifts, messages, replies and drops."""
    chance = random.Random(seed)  # noqa: S311  traffic, not secrets
    at_ms = int(time.time() * 1000) - hours_ago * 3_600_000
    records = []
    for shop in SHOPS:
        records.append(config(shop, at_ms, agents=[{"agent_id": AGENTS[0], "weight": 300}], rescue="stranded"))
        records += [status(shop, agent, at_ms + 1) for agent in AGENTS]
    for number in range(count):
        at_ms += EVENT_EVERY_MS
        shop, agent = chance.choice(SHOPS), chance.choice(AGENTS)
        buyer = f"buyer-{chance.randrange(BUYERS)}"
        kind = chance.random()
        if kind < 0.65:
            records.append(message(shop, f"m{number}", at_ms, buyer))
        elif kind < 0.9:
            reply = {"type": "agent_reply", "event_id": f"r{number}", "shop_id": shop, "buyer_id": buyer}
            records.append(record("agent-replies", reply | {"agent_id": agent, "occurred_at_ms": at_ms}))
        else:
            records.append(status(shop, agent, at_ms, chance.choice(("online", "offline", "suspended", "resumed"))))
    return records


def decided(records: Iterable[Record], partitions: int) -> dict[int, Decided]:
    """What each partition's outputs must hold once these records are routed and every timer has fired since."""
    mergers: dict[int, Merger[Record]] = defaultdict(Merger)
    for each in records:
        partition = partition_of(each.key, partitions)
        try:
            time_ms = decode(each.topic, each.value, key=each.key, timestamp_ms=0).occurred_at_ms
        except InvalidEvent:
            continue
        mergers[partition].push(each.topic, time_ms, each)
    return {partition: _decided(merger) for partition, merger in mergers.items()}


def _decided(merger: Merger[Record]) -> Decided:
    router, outcome = Router(), Decided([], [])
    decisions = []
    while (popped := merger.pop()) is not None:
        topic, _, each = popped
        decisions += router.apply(decode(topic, each.value, key=each.key, timestamp_ms=0))
    decisions += router.fire_timers(int(time.time() * 1000))
    for decision in decisions:
        (outcome.assignments if isinstance(decision, Assignment) else outcome.presence).append(encode(decision))
    return outcome


def by_topic(records: Iterable[Record]) -> list[Record]:
    """The same records, one topic after another: a backlog as no live traffic would have come."""
    return sorted(records, key=lambda each: -RANK[each.topic])
