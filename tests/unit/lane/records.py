"""Consumed records without a broker."""

from dataclasses import dataclass, field

import orjson

from schemas.codec import Topic
from streams.dead_letters import Header

SHOP = "shop-1"
START_MS = 1_772_409_600_000
"""The instant 0 of the events: 2 March 2026, 00:00 UTC."""


@dataclass(frozen=True)
class Consumed:
    """A record as a consumer gives it."""

    offset: int
    value: bytes | None
    key: bytes | None = SHOP.encode()
    timestamp: int = START_MS + 1_000_000
    topic: str = "buyer-messages"
    partition: int = 0
    headers: list[Header] = field(default_factory=list)


def consumed(topic: Topic, offset: int, at_ms: int, *, timestamp: int = START_MS + 1_000_000) -> Consumed:
    """A valid event of a topic, so many ms after START_MS."""
    event: dict[str, object] = {"event_id": f"{topic}-{offset}", "shop_id": SHOP, "occurred_at_ms": START_MS + at_ms}
    if topic == "buyer-messages":
        event |= {"type": "buyer_message", "buyer_id": "b"}
    elif topic == "agent-status":
        event |= {"type": "agent_status", "agent_id": "a", "status": "online"}
    elif topic == "agent-replies":
        event |= {"type": "agent_reply", "agent_id": "a", "buyer_id": "b"}
    else:
        event |= {"type": "shop_config"}
    return Consumed(offset, orjson.dumps(event), topic=topic, timestamp=timestamp)
