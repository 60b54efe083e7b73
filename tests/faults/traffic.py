"""Simulated traffic in the future, closed by a marker for each shop. `tests.faults` says why."""

import time
from itertools import islice

import orjson

from streams.simulate.options import DAY_MS, HOUR_MS, SimulationOptions
from streams.simulate.record import Record
from streams.simulate.traffic import simulate

MAX_CLOCK_SKEW_S = 86_400
"""What workers are told to accept: the most that they can be."""

_AHEAD_MS = 4 * 3_600_000
"""How long a run may last before the wall clock reaches the first event."""
_MAX_HOURS = 16.0
"""Together with the above less than the skew."""
_LOCAL_START_MS = 19 * HOUR_MS
"""By the shops' clocks: the evening's peak."""
_RATE = 2.0
"""Buyer messages a second, where the hours allow it: with fewer, most of the records would be agents' heartbeats."""
_RECORDS_PER_MESSAGE = 2.05
"""Replies and statuses that come with a message, about."""
_MARKER = "最后一位"


def future_traffic(
    count: int, *, seed: int, shops: int = 24, bad_share: float = 0.005, ahead_ms: int = _AHEAD_MS
) -> list[Record]:
    """Exactly `count` records in order of event time, all in the future; the last ones are the shops' markers.

    Bad records of every kind are among them, about `bad_share` of all. The run must be over in `ahead_ms`.
    """
    start_ms = int(time.time() * 1000) + ahead_ms
    # At whatever hour the tests run, the shops are busy: at night there are too few messages, and nobody answers.
    utc_offset_ms = (_LOCAL_START_MS - start_ms) % DAY_MS
    messages = count / _RECORDS_PER_MESSAGE
    records: list[Record] = []
    keys: list[bytes] = []
    while len(records) < count - shops or len(keys) < shops:
        messages *= 1.5
        hours = min(_MAX_HOURS, messages / _RATE / 3600)
        options = SimulationOptions(
            seed=seed,
            shops=shops,
            agents=6,
            buyers=max(50, count // (shops * 12)),
            rate=messages / (hours * 3600),
            hours=hours,
            start_ms=start_ms,
            utc_offset_ms=utc_offset_ms,
            bad_share=bad_share,
            bad_routing=True,
            replies="sticky",
        )
        records = list(islice(simulate(options), count - shops))
        keys = sorted({record.key for record in records if not record.spoiled})
    end_ms = records[-1].at_ms + 1
    return records + [_marker(key, end_ms) for key in keys]


def _marker(key: bytes, at_ms: int) -> Record:
    shop_id = key.decode()
    event = {
        "type": "buyer_message",
        "event_id": f"marker-{shop_id}",
        "shop_id": shop_id,
        "buyer_id": _MARKER,
        "occurred_at_ms": at_ms,
    }
    return Record(at_ms, 0, "buyer-messages", key, orjson.dumps(event))
