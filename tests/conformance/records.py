"""What happens in a scenario: each line under `events` becomes a record as a producer would send it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.codec import Topic
from tests.conformance.entries import START_MS, Entry

SHOP_ID = "茶铺"
"""The shop of every event that names no other."""

TOPICS: tuple[Topic, ...] = ("shop-configs", "agent-status", "agent-replies", "buyer-messages")

_MESSAGE_WORDS = {"buyer", "order_state", "entry_page", "addressed", "wants_human", "priority"}
_EVENT_WORDS: dict[str, set[str]] = {
    "status": {"agent", "device", "device_id"},
    "message": _MESSAGE_WORDS,
    "reply": {"buyer"},
    "close": {"buyer"},
    "auto": {"buyer"},
    "transfer": {"buyer", "to", "to_group"},
    "config": set(),
    "until": set(),
    "messages": {"every", *_MESSAGE_WORDS} - {"buyer"},
    "agents_online": set(),
    "record": {"key", "value", "hex", "pad_to", "nest_to"},
    "line": set(),
}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One input record, as it stands on a topic; `topic` None is a line of a file."""

    topic: Topic | None
    value: bytes | None
    key: bytes | None = None
    timestamp_ms: int = START_MS


@dataclass(frozen=True, kw_only=True)
class Until:
    """Let the time pass without an event: every timer due by then fires."""

    until_ms: int


def topic_named(entry: Entry, name: object) -> Topic:
    if name not in TOPICS:
        raise entry.fail(f"{name!r} is no topic; topics: {', '.join(TOPICS)}")
    return name


def steps_of(entry: Entry) -> Iterator[Record | Until]:
    """The record or records of one line under `events`."""
    kinds = [word for word in _EVENT_WORDS if word in entry]
    if not kinds:
        raise entry.fail(f"no event: one of {', '.join(_EVENT_WORDS)} must stand here")
    kind = kinds[0]
    entry.check_words({kind, *_EVENT_WORDS[kind], *(() if kind in {"until", "line"} else ("at", "id", "shop"))})
    if kind == "until":
        yield Until(until_ms=entry.instant("until"))
    elif kind == "line":
        yield Record(topic=None, value=entry.take("line", str).encode())
    elif kind == "record":
        yield _raw(entry)
    elif kind == "config":
        settings = {"reset": True} if entry["config"] == "reset" else entry.take("config", dict)
        yield config_record(entry, settings, entry.get("shop", SHOP_ID), entry.instant("at"))
    elif kind == "messages":
        for index in range(entry.take("messages", int)):
            at_ms = entry.instant("at") + index * entry.duration("every")
            yield _message(entry, f"n{index + 1}", f"buyer-{index + 1}", at_ms)
    elif kind == "agents_online":
        for index in range(entry.take("agents_online", int)):
            agent = f"agent-{index + 1:04}"
            yield _record(entry, "agent-status", entry.instant("at"), {"agent_id": agent, "status": "online"}, agent)
    elif kind == "message":
        yield _message(entry, entry.take("message", str), entry.take("buyer", str), entry.instant("at"))
    elif kind == "status":
        fields = {"agent_id": entry.take("agent", str), "status": entry["status"]}
        fields |= {word: entry[word] for word in ("device", "device_id") if word in entry}
        yield _record(entry, "agent-status", entry.instant("at"), fields)
    else:
        yield _reply(entry, kind)


def _reply(entry: Entry, kind: str) -> Record:
    fields = {"agent_id": entry.take(kind, str), "buyer_id": entry.take("buyer", str), "kind": kind}
    if "to_group" in entry:
        fields |= {"to_group_id": entry.take("to_group", str)}
    elif kind == "transfer":
        fields |= {"to_agent_id": entry.take("to", str)}
    return _record(entry, "agent-replies", entry.instant("at"), fields)


def _message(entry: Entry, event_id: str, buyer: str, at_ms: int) -> Record:
    fields = {"buyer_id": buyer}
    fields |= {word: entry[word] for word in ("order_state", "entry_page", "wants_human", "priority") if word in entry}
    fields |= {"addressed_agent_id": entry["addressed"]} if "addressed" in entry else {}
    return _record(entry, "buyer-messages", at_ms, fields, event_id)


_TYPES = {"agent-status": "agent_status", "agent-replies": "agent_reply", "buyer-messages": "buyer_message"}


def _record(entry: Entry, topic: Topic, at_ms: int, fields: Mapping[str, Any], event_id: str | None = None) -> Record:
    shop = entry.get("shop", SHOP_ID)
    head = {"type": _TYPES[topic], "event_id": event_id or entry.get("id", f"line-{entry.line}"), "shop_id": shop}
    value = json.dumps({**head, "occurred_at_ms": at_ms, **fields}, ensure_ascii=False).encode()
    return Record(topic=topic, value=value, key=shop.encode(), timestamp_ms=at_ms)


def config_record(entry: Entry, settings: Mapping[str, Any], shop: str, at_ms: int) -> Record:
    if settings == {"reset": True}:
        return Record(topic="shop-configs", value=None, key=shop.encode(), timestamp_ms=at_ms)
    value = {"type": "shop_config", "shop_id": shop, "occurred_at_ms": at_ms, **settings}
    if "at" in settings or "config" in settings:
        raise entry.fail("settings of a shop cannot be named 'at' or 'config'")
    return Record(
        topic="shop-configs",
        value=json.dumps(value, ensure_ascii=False).encode(),
        key=shop.encode(),
        timestamp_ms=at_ms,
    )


def _raw(entry: Entry) -> Record:
    """A record byte for byte: `value` is text, or a mapping that becomes JSON; `hex` is bytes; neither is null."""
    topic = topic_named(entry, entry.take("record", str))
    value: bytes | None = None
    if "hex" in entry:
        value = bytes.fromhex(entry.take("hex", str))
    elif isinstance(entry.get("value"), str):
        value = entry["value"].encode()
    elif "value" in entry:
        document = dict(entry.take("value", dict))
        if "nest_to" in entry:
            # The value itself is the first level.
            levels = entry.take("nest_to", int) - 1
            document["nested"] = json.loads("[" * levels + "]" * levels)
        value = json.dumps(document, ensure_ascii=False).encode()
        if "pad_to" in entry:
            empty = len(json.dumps({**document, "padding": ""}, ensure_ascii=False).encode())
            document["padding"] = "x" * (entry.take("pad_to", int) - empty)
            value = json.dumps(document, ensure_ascii=False).encode()
    key = entry.get("key", SHOP_ID)
    timestamp_ms = entry.instant("at") if "at" in entry else START_MS
    return Record(topic=topic, value=value, key=None if key is None else str(key).encode(), timestamp_ms=timestamp_ms)
