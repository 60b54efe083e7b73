"""The router of one partition: events in, decisions out, and what changed since it was last asked.

It has no clock, no I/O and no source of chance: the same events give the same decisions (O5).
"""

from schemas.codec import Event
from schemas.events import AgentStatus, BuyerMessage
from schemas.shop import ShopConfigChange
from streams.routing.clockwork import fire_due, next_deadline_ms
from streams.routing.configure import adopt, apply_config, set_timers
from streams.routing.messages import apply_message, apply_reply
from streams.routing.presence import apply_status
from streams.routing.restore import Restore
from streams.routing.snapshot import Change, changes_of, clear_marks, mark_all
from streams.routing.state import NEVER_MS, Decision, Shop
from streams.routing.stats import Gauges, Stats
from streams.routing.wakes import Wakes


class Router:
    """Decides for the shops of one partition, each by its own clock."""

    def __init__(self) -> None:
        self._shops: dict[str, Shop] = {}
        self._wakes = Wakes(self._shops)
        self._changed: set[str] = set()
        self._out: list[Decision] = []
        self._stats = Stats()
        self._gauges = Gauges()
        self._restore = Restore(self._shop)

    def apply(self, event: Event) -> list[Decision]:
        """Fire the timers due before an event, then apply it (O1, O3): the decisions, in order."""
        shop = self._shop(event.shop_id)
        self._changed.add(event.shop_id)
        now_ms = event.occurred_at_ms
        late_ms = shop.clock_ms - now_ms
        if late_ms > 0:
            self._stats.late_events += 1
            now_ms = shop.clock_ms
        else:
            late_ms = 0
        if now_ms >= shop.wake_ms:
            fire_due(shop, now_ms)
        shop.clock_ms = now_ms
        shop.changed = True
        if shop.blank:
            shop.begin()
            shop.wake_by(now_ms + shop.plan.forget_after_ms + 1)  # T6: no earlier is it forgotten
        if isinstance(event, BuyerMessage):
            apply_message(shop, event, late_ms)
        elif isinstance(event, AgentStatus):
            apply_status(shop, event)
        elif isinstance(event, ShopConfigChange):
            apply_config(shop, event)
        else:
            apply_reply(shop, event)
        if now_ms >= shop.wake_ms:  # a deadline already past fires at the clock (L3)
            fire_due(shop, now_ms)
        if shop.wake_ms < shop.queued_ms:
            self._wakes.note(shop)
        return self._take_decisions()

    def configure(self, change: ShopConfigChange) -> None:
        """Give a shop settings that are in force from the start, before its first event (section 10)."""
        shop = self._shop(change.shop_id)
        shop.begin()
        adopt(shop, change, heartbeats_since_ms=0, no_reply_since_ms=0)
        self._changed.add(change.shop_id)

    def next_deadline_ms(self) -> int | None:
        """When the next timer of any shop is due; None without one."""
        first_ms = self._wakes.first_ms()
        return None if first_ms == NEVER_MS else first_ms

    def fire_timers(self, until_ms: int) -> list[Decision]:
        """Fire every timer due at or before an instant, shop by shop in order of id (F8)."""
        for shop in self._wakes.take_due(until_ms):
            fire_due(shop, until_ms)
            self._wakes.note(shop)
            self._changed.add(shop.shop_id)
        return self._take_decisions()

    def take_changes(self) -> list[Change]:
        """What changed in the tables since last asked, each key once, in order; a value of None is a tombstone."""
        changes = [change for shop_id in sorted(self._changed) for change in changes_of(self._shops[shop_id])]
        self._drop_blank_shops()
        return changes

    def drop_changes(self) -> None:
        """Take no note of what changed, where no table is kept."""
        for shop_id in self._changed:
            clear_marks(self._shops[shop_id])
        self._drop_blank_shops()

    def rewrite(self) -> None:
        """Mark everything as changed, so that the next `take_changes` hands out every live key."""
        for shop_id, shop in self._shops.items():
            mark_all(shop)
            self._changed.add(shop_id)

    def load(self, table: str, key: bytes, value: bytes | None) -> None:
        """Take one record of a table's changelog, in changelog order; None removes the key.

        Raises:
            StateError: the record is not of a format that this version reads.
        """
        self._restore.load(table, key, value)

    def finish_load(self) -> None:
        """Put the loaded records together, once, before the first event.

        Raises:
            StateError: the tables contradict each other.
        """
        for shop in self._restore.finish():
            set_timers(shop)
            shop.wake_ms = next_deadline_ms(shop)
            self._wakes.note(shop)

    def key_counts(self) -> dict[str, int]:
        """How many live keys each table has, as of the last `take_changes`."""
        gauges = self._gauges
        return {
            "pending_replies": gauges.agent_keys + gauges.device_keys,
            "last_contacts": gauges.buyer_keys,
            "shops": len(self._shops),
            "shop_settings": gauges.configured_shops,
        }

    def take_stats(self) -> Stats:
        """What was counted since last asked."""
        return self._stats.take()

    def gauges(self) -> Gauges:
        """How the shops stand now."""
        return self._gauges

    def shop_pending(self, shop_id: str) -> dict[str, int]:
        """Pending replies by account of one shop, accounts in order of id; empty for a shop that is not here."""
        shop = self._shops.get(shop_id)
        agents = {} if shop is None else shop.agents
        return {agent_id: len(agents[agent_id].waiting) for agent_id in sorted(agents)}

    def _shop(self, shop_id: str) -> Shop:
        shop = self._shops.get(shop_id)
        if shop is None:
            shop = self._shops[shop_id] = Shop(shop_id, self._stats, self._gauges, self._out)
        return shop

    def _drop_blank_shops(self) -> None:
        """T6: whoever is told of the changes knows that these shops are gone."""
        for shop_id in self._changed:
            if self._shops[shop_id].blank:
                del self._shops[shop_id]
        self._changed.clear()

    def _take_decisions(self) -> list[Decision]:
        decisions = self._out[:]
        self._out.clear()
        return decisions
