"""Bytes to events and decisions to bytes: the contract at work (rules, sections 1 and 9).

What cannot be used raises `InvalidEvent` and nothing else, whatever the bytes are.
"""

from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct, UnsetType

from schemas import careful, times
from schemas.decisions import AgentPresence, Assignment
from schemas.document import may_hold_odd_ids, parse
from schemas.errors import Code, InvalidEvent
from schemas.events import MAX_TIME_MS, MIN_TIME_MS, AgentReply, AgentStatus, BuyerMessage
from schemas.settings import SETTINGS, parse_settings
from schemas.shop import DEFAULT_VERSION, ShopConfig, ShopConfigChange, ShopConfigEnvelope

__all__ = [
    "RANK",
    "TYPE_OF_TOPIC",
    "Code",
    "Event",
    "InvalidEvent",
    "Topic",
    "decode",
    "decode_decision",
    "decode_line",
    "encode",
    "parse_change",
    "parse_settings",
    "resets",
]

Topic = Literal["buyer-messages", "agent-status", "agent-replies", "shop-configs"]
Event = BuyerMessage | AgentStatus | AgentReply | ShopConfigChange

TYPE_OF_TOPIC: Final[dict[Topic, str]] = {
    "shop-configs": "shop_config",
    "agent-status": "agent_status",
    "agent-replies": "agent_reply",
    "buyer-messages": "buyer_message",
}
RANK: Final[dict[Topic, int]] = {topic: rank for rank, topic in enumerate(TYPE_OF_TOPIC)}
"""O2: of two records of one time, the one of the topic with the lower rank is applied first."""


_Read = TypeVar("_Read", bound=Struct)

_TOPIC_OF_TYPE: Final[dict[object, Topic]] = {name: topic for topic, name in TYPE_OF_TOPIC.items()}
_EVENTS: Final[dict[Topic, type[BuyerMessage | AgentStatus | AgentReply]]] = {
    "agent-status": AgentStatus,
    "agent-replies": AgentReply,
    "buyer-messages": BuyerMessage,
}
_DECISIONS: Final[dict[object, type[Assignment | AgentPresence]]] = {
    "assignment": Assignment,
    "agent_presence": AgentPresence,
}
_CAREFUL: Final[dict[type[Struct], careful.Record]] = {
    struct: careful.record(struct, null_is_absent=struct not in _DECISIONS.values())
    for struct in (*_EVENTS.values(), ShopConfigEnvelope, *_DECISIONS.values())
}
_ENCODER: Final = msgspec.json.Encoder()


def decode(topic: Topic, value: bytes | None, *, key: bytes | None, timestamp_ms: int) -> Event:
    """Read a record of an input topic.

    Args:
        topic: the topic's name without a prefix.
        value: the record's value; None in `shop-configs` is the tombstone, which returns the shop to the defaults.
        key: the record's key, which must be shop_id in UTF-8.
        timestamp_ms: the record's timestamp, the time of a shop_config that gives none.

    Raises:
        InvalidEvent: `too_large`, `not_utf8`, `not_json`, `too_deep`, `schema`, `config` or `key_mismatch`: the first
            that applies.
    """
    if value is None:
        return _tombstone(topic, key, timestamp_ms)
    document = parse(value)
    event: Event
    if topic == "shop-configs":
        event = parse_change(document, timestamp_ms=timestamp_ms)
    else:
        event = _read_event(topic, document, value)
    if key != event.shop_id.encode():
        raise InvalidEvent("key_mismatch", "the record's key: expected shop_id in UTF-8")
    return event


def decode_line(line: bytes) -> tuple[Topic, Event]:
    """Read a line of a file, where `type` names the topic and a shop_config has its own occurred_at_ms.

    Raises:
        InvalidEvent: `too_large`, `not_utf8`, `not_json`, `too_deep`, `schema` or `config`: the first that applies.
    """
    line = line.rstrip(b"\r\n")
    document = parse(line)
    kind = _object(document).get("type")
    topic = _TOPIC_OF_TYPE.get(kind) if isinstance(kind, str) else None
    if topic is None:
        raise InvalidEvent.at("$.type", f"one of {', '.join(TYPE_OF_TOPIC.values())}")
    if topic == "shop-configs":
        return topic, parse_change(document, timestamp_ms=None)
    return topic, _read_event(topic, document, line)


def decode_decision(value: bytes) -> Assignment | AgentPresence:
    """Read a record of an output topic; unknown fields are ignored, so a consumer outlives added ones.

    Raises:
        InvalidEvent: `too_large`, `not_utf8`, `not_json`, `too_deep` or `schema`: the first that applies.
    """
    document = _object(parse(value))
    kind = document.get("type")
    struct = _DECISIONS.get(kind) if isinstance(kind, str) else None
    if struct is None:
        raise InvalidEvent.at("$.type", f"one of {', '.join(map(str, _DECISIONS))}")
    return _read(struct, document, plain=not may_hold_odd_ids(value, document))


def encode(decision: Assignment | AgentPresence) -> bytes:
    """Write a decision as compact JSON: `type` first, then the fields as declared, those that are UNSET left out."""
    return _ENCODER.encode(decision)


def parse_change(document: object, *, timestamp_ms: int | None) -> ShopConfigChange:
    """Read a shop_config object, from a record, a line or YAML.

    Args:
        document: the whole object, `type` included.
        timestamp_ms: its time if it gives none; None requires occurred_at_ms.

    Raises:
        InvalidEvent: `schema`, or `config` for what is wrong in the settings.
    """
    fields = _object(document)
    if fields.get("type") != "shop_config":
        raise InvalidEvent.at("$.type", "shop_config")
    envelope = _read(ShopConfigEnvelope, document, plain=False)
    if "occurred_at_ms" in fields and fields["occurred_at_ms"] is None:
        raise InvalidEvent.at("$.occurred_at_ms", "an integer or no such field, never null", code="config")
    time_ms = timestamp_ms if isinstance(envelope.occurred_at_ms, UnsetType) else envelope.occurred_at_ms
    if time_ms is None:
        raise InvalidEvent.at("$.occurred_at_ms", f"{times.EXPECTED}, but it is missing")
    settings, version, given = (ShopConfig(), DEFAULT_VERSION, None) if resets(fields) else parse_settings(fields)
    return ShopConfigChange(
        shop_id=envelope.shop_id,
        occurred_at_ms=_checked_time_ms(time_ms),
        settings=settings,
        version=version,
        given=given,
        event_id=envelope.event_id,
    )


def _tombstone(topic: Topic, key: bytes | None, timestamp_ms: int) -> ShopConfigChange:
    if topic != "shop-configs":
        raise InvalidEvent.at("$", "an object: only shop-configs has null values")
    try:
        # There is nothing but the key to tell the shop.
        envelope = _read(ShopConfigEnvelope, {"shop_id": (key or b"").decode()}, plain=False)
    except (UnicodeDecodeError, InvalidEvent):
        raise InvalidEvent("key_mismatch", "the record's key: expected a shop's id in UTF-8") from None
    return ShopConfigChange(
        shop_id=envelope.shop_id,
        occurred_at_ms=_checked_time_ms(timestamp_ms),
        settings=ShopConfig(),
        version=DEFAULT_VERSION,
        given=None,
    )


def _checked_time_ms(time_ms: int) -> int:
    if not 0 <= time_ms <= MAX_TIME_MS:
        raise InvalidEvent("schema", f"the record's timestamp: expected an integer from 0 to {MAX_TIME_MS}")
    return time_ms


def resets(fields: dict[str, object]) -> bool:
    """Whether a shop_config returns the shop to the defaults; raises InvalidEvent."""
    reset = fields.get("reset")
    if reset is None or reset is False:
        return False
    if reset is not True:
        raise InvalidEvent.at("$.reset", "true, false or null", code="config")
    if not SETTINGS.isdisjoint(fields):
        raise InvalidEvent.at("$.reset", "no true beside settings", code="config")
    return True


def _read_event(topic: Topic, document: object, text: bytes) -> BuyerMessage | AgentStatus | AgentReply:
    fields = _object(document)
    if fields.get("type") != TYPE_OF_TOPIC[topic]:
        raise InvalidEvent.at("$.type", TYPE_OF_TOPIC[topic])
    event = _read(_EVENTS[topic], fields, plain=not may_hold_odd_ids(text, fields))
    if event.occurred_at_ms < MIN_TIME_MS:
        event = _read(_EVENTS[topic], fields, plain=False)  # It raises: the careful way knows the least.
    if isinstance(event, AgentReply) and event.kind == "transfer":
        if event.to_agent_id is None and event.to_group_id is None:
            raise InvalidEvent.at("$.to_agent_id", "an id with transfer, or one in to_group_id, but both are missing")
        if event.to_agent_id is not None and event.to_group_id is not None:
            raise InvalidEvent.at("$.to_group_id", "no group beside to_agent_id: a transfer goes to one of the two")
    return event


def _object(document: object) -> dict[str, object]:
    if isinstance(document, dict):
        return document
    raise InvalidEvent.at("$", "an object")


def _read(struct: type[_Read], document: object, *, plain: bool) -> _Read:
    """Read a struct, in one go if that does; `plain` says that no string of it makes an id odd."""
    if plain:
        try:
            return msgspec.convert(document, struct)
        except msgspec.ValidationError:
            pass  # It may be right all the same, and if it is wrong, the careful way says where.
    try:
        return msgspec.convert(_CAREFUL[struct].read(document), struct)
    except careful.Mismatch as mismatch:
        raise InvalidEvent.at(mismatch.path, mismatch.expected) from None
