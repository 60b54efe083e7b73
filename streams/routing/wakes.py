"""The shops of a router by the instant before which no timer of theirs is due."""

from heapq import heapify, heappop, heappush
from operator import attrgetter

from streams.routing.clockwork import next_deadline_ms
from streams.routing.state import NEVER_MS, Shop

_SHOP_ID = attrgetter("shop_id")
_SLACK = 64
"""So many entries may be stale; among very many shops, as many as there are shops."""


class Wakes:
    """A heap of shops by `wake_ms`. Timers are moved on far more often than they fire, so entries are mended late."""

    __slots__ = ("_heap", "_shops")

    def __init__(self, shops: dict[str, Shop]) -> None:
        self._shops = shops
        self._heap: list[tuple[int, str]] = []

    def note(self, shop: Shop) -> None:
        """Something of the shop may be due earlier than was known."""
        if shop.wake_ms < shop.queued_ms:
            shop.queued_ms = shop.wake_ms
            heappush(self._heap, (shop.wake_ms, shop.shop_id))
            if len(self._heap) > 2 * len(self._shops) + _SLACK:
                queued = self._shops.values()
                self._heap = [(each.queued_ms, each.shop_id) for each in queued if each.queued_ms != NEVER_MS]
                heapify(self._heap)

    def first_ms(self) -> int:
        """When the first timer of any shop is due; `NEVER_MS` without one."""
        while self._heap:
            at_ms, shop_id = self._heap[0]
            shop = self._shops.get(shop_id)
            if shop is not None and shop.queued_ms == at_ms:
                shop.wake_ms = next_deadline_ms(shop)
                if shop.wake_ms == at_ms:
                    return at_ms
                shop.queued_ms = NEVER_MS
                heappop(self._heap)
                self.note(shop)
            else:
                heappop(self._heap)
        return NEVER_MS

    def take_due(self, until_ms: int) -> list[Shop]:
        """The shops of which something may be due at or before an instant, in order of id; they are `note`d again."""
        due: list[Shop] = []
        while self._heap and self._heap[0][0] <= until_ms:
            at_ms, shop_id = heappop(self._heap)
            shop = self._shops.get(shop_id)
            if shop is not None and shop.queued_ms == at_ms:
                shop.queued_ms = NEVER_MS
                due.append(shop)
        return sorted(due, key=_SHOP_ID)
