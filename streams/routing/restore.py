"""Table records back into state (`snapshot`): what a worker that takes a partition over begins with."""

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import TypeVar

import msgspec
import orjson

from schemas.codec import parse_settings
from streams.routing.devices import note_status
from streams.routing.plan import DEFAULT_PLAN, Plan
from streams.routing.presence import presence_of
from streams.routing.records import AgentRecord, Buyer, DeviceRecord, ShopRecord
from streams.routing.share import pool
from streams.routing.snapshot import KEY_SEPARATOR, TABLES, StateError, clear_marks
from streams.routing.standing import refresh
from streams.routing.state import Agent, DeviceKey, Shop

R = TypeVar("R")

_ASSIGNED = attrgetter("assigned_ms")
_SINCE = itemgetter(1)
_AGE = attrgetter("last_ms", "buyer_id")

# Straight into the objects, without dictionaries between: a restore is made of this.
_BUYERS = msgspec.json.Decoder(Buyer)
_AGENTS = msgspec.json.Decoder(AgentRecord)
_DEVICES = msgspec.json.Decoder(DeviceRecord)
_SHOPS = msgspec.json.Decoder(ShopRecord)


class Restore:
    """Puts a router's shops together from table records."""

    def __init__(self, shop: Callable[[str], Shop]) -> None:
        self._shop = shop
        self._agents: dict[str, dict[str, AgentRecord]] = {}
        self._devices: dict[str, dict[str, DeviceRecord]] = {}
        self._shops: dict[str, ShopRecord] = {}
        self._settings: dict[str, bytes] = {}
        self._buyers: dict[str, dict[str, Buyer]] = {}
        self._ids: dict[str, str] = {}

    def load(self, table: str, key: bytes, value: bytes | None) -> None:
        """Take one record, the newest of a key last."""
        shop_id, _, subject_id = key.decode().partition(KEY_SEPARATOR)
        if table == "last_contacts":
            buyers = self._buyers.get(shop_id)
            if buyers is None:
                buyers = self._buyers[shop_id] = {}
            if value is None:
                buyers.pop(subject_id, None)
                return
            buyer = _read(value, _BUYERS, table)
            buyers[buyer.buyer_id] = buyer
            self._share_ids(buyer)
        elif table == "pending_replies":
            if KEY_SEPARATOR in subject_id:
                _take(self._devices.setdefault(shop_id, {}), subject_id, value, _DEVICES, table)
            else:
                _take(self._agents.setdefault(shop_id, {}), subject_id, value, _AGENTS, table)
        elif table == "shops":
            _take(self._shops, shop_id, value, _SHOPS, table)
        elif table == "shop_settings":
            if value is None:
                self._settings.pop(shop_id, None)
            else:
                self._settings[shop_id] = value
        else:
            raise StateError(f"there is no table {table!r}: the tables are {', '.join(TABLES)}")

    def finish(self) -> list[Shop]:
        """Link what was loaded: the shops, in order of id."""
        shops = [self._shop(shop_id) for shop_id in sorted(self._shops)]
        for shop in shops:
            self._link(shop, self._shops[shop.shop_id])
        for loaded in (self._agents, self._devices, self._shops, self._settings, self._buyers, self._ids):
            loaded.clear()
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
        shop.begin()
        shop.given = self._settings.get(shop.shop_id)
        shop.plan = _plan(shop.given)
        shop.gauges.configured_shops += shop.given is not None
        shop.clock_ms, shop.next_seq = record.clock_ms, record.next_seq
        shop.heartbeats_since_ms, shop.no_reply_since_ms = record.heartbeats_since_ms, record.no_reply_since_ms
        records = self._agents.get(shop.shop_id, {})
        for agent_id in sorted(records):
            _restore_agent(shop, shop.agent(agent_id), records[agent_id])
        _restore_devices(shop, self._devices.get(shop.shop_id, {}))
        _restore_buyers(shop, self._buyers.pop(shop.shop_id, {}))
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
            shop.release(agent)
        _restore_ties(shop)
        _restore_pools(shop, record)
        clear_marks(shop)


def _plan(given: bytes | None) -> Plan:
    if given is None:
        return DEFAULT_PLAN
    settings, version, _ = parse_settings(orjson.loads(given), stored=True)
    return Plan(settings, version)


def _restore_agent(shop: Shop, agent: Agent, record: AgentRecord) -> None:
    agent.seen, agent.last_ms = record.seen, record.last_ms
    if record.seen and record.last_ms < 0:
        agent.last_ms = shop.clock_ms  # format 1 does not tell
    for kind, device_id, connected, status_ms in record.devices:
        _restore_device(shop, agent, (kind, device_id), DeviceRecord(status_ms, connected))
    agent.offline_kinds = record.offline_kinds
    agent.no_reply_suspended, agent.no_reply_count = record.no_reply_suspended, record.no_reply_count
    agent.suspended, agent.status_ms, agent.seen_ms = record.suspended, record.status_ms, record.seen_ms
    agent.mobile_session, agent.window = record.mobile_session, record.window
    agent.last_share_ms, agent.virtual_times = record.last_share_ms, record.virtual_times


def _restore_devices(shop: Shop, records: dict[str, DeviceRecord]) -> None:
    for subject_id in sorted(records):
        agent_id, kind, device_id = subject_id.split(KEY_SEPARATOR)
        agent = shop.agents.get(agent_id)
        if agent is None:
            raise StateError(
                f"shop {shop.shop_id}: table pending_replies has a device of {agent_id}, but not {agent_id} itself"
            )
        _restore_device(shop, agent, (kind, device_id), records[subject_id])


def _restore_device(shop: Shop, agent: Agent, key: DeviceKey, record: DeviceRecord) -> None:
    note_status(shop, agent, key, record.status_ms, connected=record.connected)


def _restore_buyers(shop: Shop, records: dict[str, Buyer]) -> None:
    for buyer in sorted(records.values(), key=_AGE):
        shop.buyers[buyer.buyer_id] = buyer
        if buyer.contact_id is not None:
            shop.agent(buyer.contact_id).contacts += 1
        if buyer.owner_id is not None:
            shop.agent(buyer.owner_id).waiting[buyer.buyer_id] = buyer
            shop.gauges.pending_replies += 1
        elif buyer.in_pool:
            shop.enter_message_pool(buyer)
    for agent in shop.agents.values():
        agent.waiting = {buyer.buyer_id: buyer for buyer in sorted(agent.waiting.values(), key=_ASSIGNED)}
    shop.gauges.buyer_keys += len(records)


def _restore_ties(shop: Shop) -> None:
    for buyer in shop.buyers.values():
        for agent_id in buyer.taken_from:
            shop.agents[agent_id].taken.add(buyer.buyer_id)
        if buyer.group_id is not None:
            shop.bound.add(buyer.buyer_id)


def _restore_pools(shop: Shop, record: ShopRecord) -> None:
    """Those that the settings have; the others since when they have them no longer (format 1 does not tell)."""
    shop.pool_clocks = record.pool_clocks
    for name in record.pool_clocks:
        if name in shop.plan.pools:
            pool(shop, name)
    retired = {name: shop.clock_ms for name in record.pool_clocks if name not in shop.plan.pools}
    retired.update(record.retired_pools)
    shop.retired_pools = dict(sorted(retired.items(), key=_SINCE))


def _take(records: dict[str, R], key: str, value: bytes | None, decoder: msgspec.json.Decoder[R], table: str) -> None:
    if value is None:
        records.pop(key, None)
    else:
        records[key] = _read(value, decoder, table)


def _read(value: bytes, decoder: msgspec.json.Decoder[R], table: str) -> R:
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(f"a record of table {table} cannot be read: {error}") from error
