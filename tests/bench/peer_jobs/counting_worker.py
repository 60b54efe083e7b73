"""The counting job on fenliu's lane: `fenliu worker`, but its router counts, and its codec does what the job asks for.

Everything else is the product: Faust's membership, four inputs merged, transactions, checkpoints, metrics. The outputs
go to `agent-presence`.
"""

import msgspec
import orjson

from schemas.codec import Topic
from streams.routing import TABLES, Change, Gauges, Stats

TABLE = "last_contacts"
"""Whose changelog holds the counts."""


class Counted(msgspec.Struct, gc=False):
    """An event in, and with its count, the output."""

    event_id: str
    shop_id: str
    occurred_at_ms: int
    n: int = 0


class CountingRouter:
    """In the place of a partition's router."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._changed: set[str] = set()

    def apply(self, event: Counted) -> list[Counted]:
        """Count one event."""
        shop = event.shop_id
        event.n = self._counts[shop] = self._counts.get(shop, 0) + 1
        self._changed.add(shop)
        return [event]

    def next_deadline_ms(self) -> int | None:
        """There are no timers."""
        return None

    def take_changes(self) -> list[Change]:
        """Each changed count once."""
        changes = [Change(TABLE, shop.encode(), b"%d" % self._counts[shop]) for shop in self._changed]
        self._changed.clear()
        return changes

    def load(self, table: str, key: bytes, value: bytes | None) -> None:  # noqa: ARG002
        """One count back."""
        self._counts[key.decode()] = int(value or b"0")

    def finish_load(self) -> None:
        """There is nothing to put together."""

    def key_counts(self) -> dict[str, int]:
        """For the checkpoint."""
        return dict.fromkeys(TABLES, 0) | {TABLE: len(self._counts)}

    def take_stats(self) -> Stats:
        """There are none."""
        return Stats()

    def gauges(self) -> Gauges:
        """There are none."""
        return Gauges()


def decode(topic: Topic, value: bytes, *, key: bytes | None, timestamp_ms: int) -> Counted:  # noqa: ARG001
    """What the peers do: parse."""
    event = orjson.loads(value)
    return Counted(event["event_id"], event["shop_id"], event["occurred_at_ms"])


def encode(counted: Counted) -> bytes:
    """What the peers do: one small document."""
    return orjson.dumps({"message_id": counted.event_id, "shop_id": counted.shop_id, "n": counted.n})


def main() -> None:
    """Put the counting in the place of the routing, then be a worker."""
    import streams.routing  # noqa: PLC0415  before the app takes the router from there

    vars(streams.routing)["Router"] = CountingRouter
    from streams.lane import inputs, partition  # noqa: PLC0415

    vars(inputs)["decode"], vars(partition)["encode"] = decode, encode
    from streams.cli import main as fenliu  # noqa: PLC0415

    fenliu(["worker"])


if __name__ == "__main__":
    main()
