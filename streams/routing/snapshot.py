"""State as table records and back: what the changelogs of the four tables hold, one small JSON document a key.

Keys are `shop_id`, or `shop_id` and the agent's or buyer's id joined by U+001F, which no id contains.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import NamedTuple, TypeVar

import msgspec
import orjson

from schemas.codec import parse_settings
from streams.routing.plan import DEFAULT_PLAN, Plan
from streams.routing.presence import presence_of
from streams.routing.records import AgentRecord, Buyer, Device, ShopRecord
from streams.routing.share import pool
from streams.routing.standing import refresh
from streams.routing.state import Agent, Shop

TABLES = ("pending_replies", "last_contacts", "shops", "shop_settings")
KEY_SEPARATOR = "\u001f"

R = TypeVar("R")


class StateError(Exception):
    """A table's record cannot be read, or the tables contradict each other."""


class Change(NamedTuple):
    """A table's key and its value now; None is a tombstone."""

    table: str
    key: bytes
    value: bytes | None


def changes_of(shop: Shop) -> Iterator[Change]:
    """What changed in a shop since last asked, in order of table and key; the marks are cleared."""
    for agent_id in sorted(shop.changed_agents):
        yield Change("pending_replies", _key(shop, agent_id), _value(_agent_record(shop.agents[agent_id])))
    for buyer_id in sorted(shop.changed_buyers):
        buyer = shop.buyers.get(buyer_id)
        yield Change("last_contacts", _key(shop, buyer_id), None if buyer is None else _value(buyer))
    if shop.changed:
        record = ShopRecord(
            shop.clock_ms, shop.next_seq, shop.heartbeats_since_ms, shop.no_reply_since_ms, shop.pool_clocks
        )
        yield Change("shops", shop.shop_id.encode(), _value(record))
    if shop.settings_changed:
        yield Change("shop_settings", shop.shop_id.encode(), shop.given)
    _clear_marks(shop)


def mark_all(shop: Shop) -> None:
    """Mark all that is remembered of a shop as changed."""
    shop.changed_agents.update(shop.agents)
    shop.changed_buyers.update(shop.buyers)
    shop.changed = True
    shop.settings_changed = shop.given is not None


# Straight out of the objects and into them, without dictionaries between: a restore is made of this.
_ENCODER = msgspec.json.Encoder()
_ASSIGNED = attrgetter("assigned_ms")
_AGE = attrgetter("last_ms", "buyer_id")
_BUYERS = msgspec.json.Decoder(Buyer)
_AGENTS = msgspec.json.Decoder(AgentRecord)
_SHOPS = msgspec.json.Decoder(ShopRecord)


class Restore:
    """Puts a router's shops together from table records."""

    def __init__(self, shop: Callable[[str], Shop]) -> None:
        self._shop = shop
        self._agents: dict[str, dict[str, AgentRecord]] = {}
        self._shops: dict[str, ShopRecord] = {}
        self._buyers: dict[str, dict[str, Buyer]] = {}
        self._ids: dict[str, str] = {}

    def load(self, table: str, key: bytes, value: bytes | None) -> None:
        """Take one record, the newest of a key last."""
        shop_id, _, subject_id = key.decode().partition(KEY_SEPARATOR)
        if table == "last_contacts":
            buyers = self._buyers.get(shop_id)
            if buyers is None:
                buyers = self._buyers[shop_id] = self._shop(shop_id).buyers
            if value is None:
                buyers.pop(subject_id, None)
                return
            buyer = _read(value, _BUYERS, table)
            buyers[buyer.buyer_id] = buyer
            self._share_ids(buyer)
        elif table == "pending_replies":
            agents = self._agents.setdefault(shop_id, {})
            if value is None:
                agents.pop(subject_id, None)
            else:
                agents[subject_id] = _read(value, _AGENTS, table)
        elif table == "shops":
            if value is not None:
                self._shops[shop_id] = _read(value, _SHOPS, table)
        elif table == "shop_settings":
            self._shop(shop_id).given = value
        else:
            raise StateError(f"there is no table {table!r}: the tables are {', '.join(TABLES)}")

    def finish(self) -> list[Shop]:
        """Link what was loaded: the shops, in order of id."""
        shops = [self._shop(shop_id) for shop_id in sorted(self._shops)]
        for shop in shops:
            self._link(shop, self._shops[shop.shop_id])
        self._shops.clear()
        self._agents.clear()
        self._buyers.clear()
        self._ids.clear()
        return shops

    def _share_ids(self, buyer: Buyer) -> None:
        """A million buyers name few agents: all hold the same strings."""
        ids = self._ids
        if (contact_id := buyer.contact_id) is not None:
            buyer.contact_id = ids.setdefault(contact_id, contact_id)
        if (holder := buyer.holder) is not None:
            buyer.holder = ids.setdefault(holder, holder)
        if (owner_id := buyer.owner_id) is not None:
            buyer.owner_id = ids.setdefault(owner_id, owner_id)

    def _link(self, shop: Shop, record: ShopRecord) -> None:
        shop.clock_ms, shop.next_seq = record.clock_ms, record.next_seq
        shop.heartbeats_since_ms, shop.no_reply_since_ms = record.heartbeats_since_ms, record.no_reply_since_ms
        shop.pool_clocks = record.pool_clocks
        shop.plan = _plan(shop.given)
        shop.gauges.configured_shops += shop.given is not None
        records = self._agents.get(shop.shop_id, {})
        for agent_id in sorted(records):
            _restore_agent(shop.agent(agent_id), records[agent_id])
        _restore_buyers(shop)
        for agent_id, agent in shop.agents.items():
            stored = records[agent_id].pending if agent_id in records else 0
            if stored != len(agent.waiting):
                raise StateError(
                    f"shop {shop.shop_id}: table pending_replies says {stored} for agent {agent_id}, "
                    f"but {len(agent.waiting)} buyers of table last_contacts wait there"
                )
            agent.presence = presence_of(shop, agent)
            agent.online = agent.presence != "offline"
            shop.gauges.agents["offline"] -= 1
            shop.gauges.agents[agent.presence] += 1
            refresh(shop, agent)
        _restore_ties(shop)
        for name in shop.pool_clocks:
            pool(shop, name)
        _clear_marks(shop)


def _plan(given: bytes | None) -> Plan:
    if given is None:
        return DEFAULT_PLAN
    settings, version, _ = parse_settings(orjson.loads(given), stored=True)
    return Plan(settings, version)


def _agent_record(agent: Agent) -> AgentRecord:
    return AgentRecord(
        pending=len(agent.waiting),
        seen=agent.seen,
        devices=[(*key, device.connected, device.status_ms) for key, device in agent.devices.items()],
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


def _restore_agent(agent: Agent, record: AgentRecord) -> None:
    agent.seen = record.seen
    agent.devices = {(kind, device_id): Device(up, at_ms) for kind, device_id, up, at_ms in record.devices}
    agent.offline_kinds = record.offline_kinds
    agent.no_reply_suspended, agent.no_reply_count = record.no_reply_suspended, record.no_reply_count
    agent.suspended, agent.status_ms, agent.seen_ms = record.suspended, record.status_ms, record.seen_ms
    agent.mobile_session, agent.window = record.mobile_session, record.window
    agent.last_share_ms, agent.virtual_times = record.last_share_ms, record.virtual_times


def _restore_buyers(shop: Shop) -> None:
    buyers = sorted(shop.buyers.values(), key=_AGE)
    shop.buyers.clear()
    for buyer in buyers:
        shop.buyers[buyer.buyer_id] = buyer
        if buyer.owner_id is not None:
            shop.agent(buyer.owner_id).waiting[buyer.buyer_id] = buyer
            shop.gauges.pending_replies += 1
        elif buyer.in_pool:
            shop.enter_message_pool(buyer)
    for agent in shop.agents.values():
        agent.waiting = {buyer.buyer_id: buyer for buyer in sorted(agent.waiting.values(), key=_ASSIGNED)}
    shop.gauges.buyer_keys += len(buyers)


def _restore_ties(shop: Shop) -> None:
    for buyer in shop.buyers.values():
        for agent_id in buyer.taken_from:
            shop.agent(agent_id).taken.add(buyer.buyer_id)
        if buyer.group_id is not None:
            shop.bound.add(buyer.buyer_id)


def _clear_marks(shop: Shop) -> None:
    shop.changed_agents.clear()
    shop.changed_buyers.clear()
    shop.changed = shop.settings_changed = False


def _key(shop: Shop, subject_id: str) -> bytes:
    return f"{shop.shop_id}{KEY_SEPARATOR}{subject_id}".encode()


def _value(record: msgspec.Struct) -> bytes:
    return _ENCODER.encode(record)  # not orjson, which refuses integers above 64 bits: virtual times have no bound


def _read(value: bytes, decoder: msgspec.json.Decoder[R], table: str) -> R:
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(f"a record of table {table} cannot be read: {error}") from error
