"""The traffic of all shops as one stream in order of time."""

from collections.abc import Iterator
from heapq import merge
from random import Random

from streams.simulate.bad import with_bad_records
from streams.simulate.demand import Curve, spike_instant
from streams.simulate.options import SimulationOptions
from streams.simulate.profiles import PROFILES
from streams.simulate.record import Record
from streams.simulate.shop import Shop

_GOLDEN = 0.6180339887498949


def simulate(options: SimulationOptions) -> Iterator[Record]:
    """Yield every record in order of time; memory grows with shops, agents and buyers, not with hours."""
    spike_ms = options.promotion_ms
    if spike_ms is None:
        spike_ms = spike_instant(options.start_ms, options.end_ms, options.utc_offset_ms)
    calm = Curve(options.start_ms, options.end_ms, options.utc_offset_ms, None)
    promotion = Curve(options.start_ms, options.end_ms, options.utc_offset_ms, spike_ms)
    sizes = [_size(number) for number in range(options.shops)]
    messages = options.rate * options.span_ms / 1000
    shops = []
    for number, size in enumerate(sizes):
        takes_part = PROFILES[number % len(PROFILES)].promotion
        shops.append(
            Shop(
                options,
                number,
                messages=messages * size / sum(sizes),
                curve=promotion if takes_part else calm,
                spike_ms=spike_ms if takes_part else None,
            )
        )
    records: Iterator[Record] = merge(*(shop.records() for shop in shops))
    if options.bad_share:
        rng = Random(f"{options.seed}/bad")  # noqa: S311  traffic, no secrets
        records = with_bad_records(records, options.bad_share, rng.random, routing=options.bad_routing)
    return records


def _size(number: int) -> float:
    """How large a shop is against the others: many small ones and a few large ones, whatever their number."""
    return 0.35 + 1.9 * ((number + 1) * _GOLDEN % 1) ** 2
