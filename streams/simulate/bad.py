"""Bad records of every kind that the router must survive (rules, section 9).

They are added to the traffic, each right after the good record that it is a spoiled copy of, and change nothing else.
"""

from collections.abc import Callable, Iterable, Iterator

import orjson

from streams.simulate.durations import Draw
from streams.simulate.record import Record

_TOO_LARGE_BYTES = 257 * 1024
_TOO_DEEP = 40
_BROKEN_CLOCK_MS = 4_000_000_000_000
"""The year 2096: the clock of a device that was set by hand."""

Spoil = Callable[[Record, dict[str, object]], Record]


def _with(record: Record, event: dict[str, object], **fields: object) -> Record:
    return record._replace(value=orjson.dumps({**event, **fields}))


def _cut(record: Record, _: dict[str, object]) -> Record:
    value = record.value or b""
    return record._replace(value=value[: len(value) // 2])


def _wrong_encoding(record: Record, event: dict[str, object]) -> Record:
    # 旺旺 in GBK, as an old client sends it.
    value = orjson.dumps({**event, "nick": "?"}).replace(b'"?"', b'"' + "旺旺".encode("gbk") + b'"')
    return record._replace(value=value)


def _missing_field(record: Record, event: dict[str, object]) -> Record:
    return record._replace(value=orjson.dumps({name: value for name, value in event.items() if name != "shop_id"}))


def _wrong_type(record: Record, event: dict[str, object]) -> Record:
    return _with(record, event, occurred_at_ms=str(event["occurred_at_ms"]))


def _out_of_range(record: Record, event: dict[str, object]) -> Record:
    return _with(record, event, occurred_at_ms=-1)


def _unknown_status(record: Record, event: dict[str, object]) -> Record:
    status = {"type": "agent_status", "agent_id": "小满", "status": "brb"}
    return _with(record._replace(topic="agent-status"), event, **status)


def _bad_setting(record: Record, event: dict[str, object]) -> Record:
    envelope = {name: event[name] for name in ("event_id", "shop_id", "occurred_at_ms")}
    return _with(record._replace(topic="shop-configs"), {"type": "shop_config", **envelope, "busy_threshold": 0})


def _deep(record: Record, event: dict[str, object]) -> Record:
    nested: object = "end"
    for _ in range(_TOO_DEEP):
        nested = {"extra": nested}
    return _with(record, event, extra=nested)


def _large(record: Record, event: dict[str, object]) -> Record:
    return _with(record, event, note="=" * _TOO_LARGE_BYTES)


def _null_value(record: Record, _: dict[str, object]) -> Record:
    return record._replace(topic="buyer-messages", value=None)


def _wrong_key(record: Record, event: dict[str, object]) -> Record:
    # A producer that keys by whom the event is about, so that a shop's events lie in all partitions.
    return record._replace(key=str(event.get("buyer_id") or event.get("agent_id") or "shop").encode())


def _wrong_partition(record: Record, _: dict[str, object]) -> Record:
    return record._replace(misrouted=True)


def _broken_clock(record: Record, event: dict[str, object]) -> Record:
    return _with(record, event, occurred_at_ms=_BROKEN_CLOCK_MS)


KINDS: tuple[tuple[Spoil, bool], ...] = (
    (_missing_field, False),
    (_cut, False),
    (_wrong_key, True),
    (_bad_setting, False),
    (_wrong_type, False),
    (_broken_clock, True),
    (_deep, False),
    (_unknown_status, False),
    (_null_value, True),
    (_wrong_encoding, False),
    (_wrong_partition, True),
    (_out_of_range, False),
    (_large, False),
)
"""How a record is spoiled, in the order of their turns; True: only where there are keys, partitions and timestamps."""


def with_bad_records(records: Iterable[Record], share: float, random: Draw, *, routing: bool) -> Iterator[Record]:
    """Add `share` bad records for each good one; with `routing` those that only Kafka can hold, too."""
    kinds = [spoil for spoil, only_kafka in KINDS if routing or not only_kafka]
    made = 0
    for record in records:
        yield record
        if random() < share and record.value is not None:
            yield kinds[made % len(kinds)](record._replace(spoiled=True), orjson.loads(record.value))
            made += 1
