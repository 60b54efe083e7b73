"""State as table records: what the changelogs of the four tables hold, one small JSON document a key.

Keys are `shop_id`, or `shop_id` and the agent's or buyer's id joined by U+001F, which no id contains; a device has its
kind and id behind the agent's.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from streams.routing.records import AgentRecord, DeviceRecord, ShopRecord
from streams.routing.state import Agent, Shop

TABLES = ("pending_replies", "last_contacts", "shops", "shop_settings")
KEY_SEPARATOR = "\u001f"

_ENCODER = msgspec.json.Encoder()
"""Not orjson, which refuses integers above 64 bits: virtual times have no bound."""


class StateError(Exception):
    """A table's record cannot be read, or the tables contradict each other."""


class Change(NamedTuple):
    """A table's key and its value now; None is a tombstone."""

    table: str
    key: bytes
    value: bytes | None


def changes_of(shop: Shop) -> Iterator[Change]:
    """What changed in a shop since last asked, in order of table and key; the marks are cleared."""
    yield from _changes_of_agents(shop)
    for buyer_id in sorted(shop.changed_buyers):
        buyer = shop.buyers.get(buyer_id)
        yield Change("last_contacts", _key(shop, buyer_id), None if buyer is None else _value(buyer))
    if shop.changed:
        yield Change("shops", shop.shop_id.encode(), None if shop.blank else _value(_shop_record(shop)))
    if shop.settings_changed:
        yield Change("shop_settings", shop.shop_id.encode(), shop.given)
    clear_marks(shop)


def _changes_of_agents(shop: Shop) -> Iterator[Change]:
    """Of agents and their devices."""
    subjects: list[tuple[str, ...]] = [(agent_id,) for agent_id in shop.changed_agents]
    for subject in sorted([*subjects, *shop.changed_devices]):
        agent = shop.agents.get(subject[0])
        record: AgentRecord | DeviceRecord | None = None
        if agent is not None and len(subject) == 1:
            record = _agent_record(agent)
        elif agent is not None and (device := agent.devices.get((subject[1], subject[2]))) is not None:
            record = DeviceRecord(device.status_ms, device.connected)
        yield Change("pending_replies", _key(shop, *subject), None if record is None else _value(record))


def mark_all(shop: Shop) -> None:
    """Mark all that is remembered of a shop as changed."""
    shop.changed_agents.update(shop.agents)
    for agent in shop.agents.values():
        shop.changed_devices.update((agent.agent_id, *key) for key in agent.devices)
    shop.changed_buyers.update(shop.buyers)
    shop.changed = True
    shop.settings_changed = shop.given is not None


def _agent_record(agent: Agent) -> AgentRecord:
    return AgentRecord(
        pending=len(agent.waiting),
        seen=agent.seen,
        last_ms=agent.last_ms,
        offline_kinds=agent.offline_kinds,
        suspended=agent.suspended,
        no_reply_suspended=agent.no_reply_suspended,
        no_reply_count=agent.no_reply_count,
        status_ms=agent.status_ms,
        seen_ms=agent.seen_ms,
        mobile_session=agent.mobile_session,
        window=agent.window,
        last_share_ms=agent.last_share_ms,
        virtual_times=agent.virtual_times,
    )


def _shop_record(shop: Shop) -> ShopRecord:
    return ShopRecord(
        clock_ms=shop.clock_ms,
        next_seq=shop.next_seq,
        heartbeats_since_ms=shop.heartbeats_since_ms,
        no_reply_since_ms=shop.no_reply_since_ms,
        pool_clocks=shop.pool_clocks,
        retired_pools=shop.retired_pools,
    )


def clear_marks(shop: Shop) -> None:
    """Nothing of the shop is changed any more."""
    shop.changed_agents.clear()
    shop.changed_devices.clear()
    shop.changed_buyers.clear()
    shop.changed = shop.settings_changed = False


def _key(shop: Shop, *subject: str) -> bytes:
    return KEY_SEPARATOR.join((shop.shop_id, *subject)).encode()


def _value(record: msgspec.Struct) -> bytes:
    return _ENCODER.encode(record)
