"""The sizing itself: shops of unequal size on partitions, partitions on workers, and what comes of it."""

import math
from dataclasses import dataclass

from streams.partitioner import partition_of
from streams.sizing.costs import Costs

UTILISATION = 0.6
"""How much of what it can do the busiest worker does at the peak: the rest is for catching up after a fault."""
PARTITIONS_PER_WORKER = 4
"""So that shares even out, and a dead worker's partitions go to several."""
SESSION_TIMEOUT_S = 10
DEFAULT_EXPONENT = 0.8
"""Of Zipf's law: the n-th largest shop has 1/n^0.8 of the largest one's messages."""
STEEPEST = 8.0
EXPONENT_STEPS = 20
LAST_PLACE = 1 << 31
"""The partitioner's hashes are below: what `partition_of` says of so many partitions is the hash itself."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be routed.

    Attributes:
        shops: how many.
        peak_messages_s: buyer messages a second at the peak, of all shops.
        hours: how long it is busy within 72 hours, at half the peak on average: whoever writes then is remembered (T5).
        messages_per_buyer: within these.
        hot_share: what the largest shop has of all messages; the others follow by Zipf's law, with the exponent that
            fits. None: the usual exponent.
        copies: of each partition.
    """

    shops: int
    peak_messages_s: float
    hours: float = 12.0
    messages_per_buyer: float = 4.0
    hot_share: float | None = None
    copies: int = 3


@dataclass(frozen=True, slots=True)
class Sizing:
    """What it takes; rates at the peak, units in the names."""

    events_s: float
    partitions: int
    workers: int
    busiest_partition_share: float
    busiest_worker_utilisation: float
    one_fewer_utilisation: float
    """Of the busiest worker after one has died."""
    largest_shop_events_s: float
    largest_shop_utilisation: float
    """Of one worker, by the largest shop alone: it cannot be divided."""
    transactions_s_at_most: float
    broker_cores: float
    broker_in_mb_s: float
    """Producers' records and fenliu's, with all copies."""
    stored_gb: float
    """Inputs and outputs of the busy hours, with all copies, before compression."""
    remembered_buyers: float
    worker_memory_gb: float
    """Of the fullest worker."""
    take_over_s: float
    """After a kill -9: session timeout, and the restore by those who get its partitions."""

    @property
    def fits(self) -> bool:
        """Whether every worker keeps up at the peak."""
        return self.busiest_worker_utilisation <= 1.0


def size(demand: Demand, costs: Costs, *, partitions: int | None = None) -> Sizing:
    """Size a cluster.

    Args:
        demand: what comes.
        costs: what it costs.
        partitions: as many as there are; None: as many as it takes, a power of two.
    """
    shares = shop_shares(demand)
    events_s = demand.peak_messages_s * costs.events_per_message
    least = max(1, math.ceil(events_s / costs.worker_events_s / UTILISATION))
    places = shop_places(demand.shops)
    loads_of: dict[int, list[float]] = {}
    tried: list[tuple[float, int, int]] = []
    # More than twice as many as an even load needs would only wait for the largest shops.
    for workers in range(min(least, partitions or least), 2 * least + 1):
        count = partitions or _power_of_two(workers * PARTITIONS_PER_WORKER)
        if count not in loads_of:
            loads_of[count] = partition_loads(shares, places, count)
        tried.append((max(worker_loads(loads_of[count], workers)), workers, count))
        if tried[-1][0] * events_s <= costs.worker_events_s * UTILISATION or workers >= count:
            break
    busiest, workers, count = min(tried)
    loads = loads_of[count]
    events = events_s / 2 * demand.hours * 3600
    remembered = events / costs.events_per_message / demand.messages_per_buyer
    with_one_fewer = max(worker_loads(loads, max(1, workers - 1)))
    heirs = min(max(1, workers - 1), PARTITIONS_PER_WORKER)
    published = costs.input_bytes_per_event + costs.output_bytes_per_event
    return Sizing(
        events_s=events_s,
        partitions=count,
        workers=workers,
        busiest_partition_share=max(loads),
        busiest_worker_utilisation=busiest * events_s / costs.worker_events_s,
        one_fewer_utilisation=with_one_fewer * events_s / costs.worker_events_s,
        largest_shop_events_s=events_s * max(shares),
        largest_shop_utilisation=events_s * max(shares) / costs.worker_events_s,
        transactions_s_at_most=min(events_s, count * 1000 / costs.transaction_ms),
        broker_cores=events_s * costs.broker_cpu_s_per_million_events / 1e6 * demand.copies,
        broker_in_mb_s=events_s * (published + costs.changelog_bytes_per_event) * demand.copies / 1e6,
        stored_gb=events * published * demand.copies / 1e9,
        remembered_buyers=remembered,
        worker_memory_gb=(costs.worker_bytes + busiest * remembered * costs.state_bytes_per_buyer) / 1e9,
        take_over_s=SESSION_TIMEOUT_S + busiest * remembered / heirs / costs.restore_keys_s,
    )


def shop_shares(demand: Demand) -> list[float]:
    """What each shop has of all messages, the largest first; they add up to 1."""
    if demand.hot_share is None:
        return _zipf(demand.shops, DEFAULT_EXPONENT)
    low, high = 0.0, STEEPEST
    for _ in range(EXPONENT_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _zipf(demand.shops, middle)[0] < demand.hot_share else (low, middle)
    return _zipf(demand.shops, high)


def _zipf(shops: int, exponent: float) -> list[float]:
    sizes = [rank**-exponent for rank in range(1, shops + 1)]
    total = sum(sizes)
    return [each / total for each in sizes]


def shop_places(shops: int) -> list[int]:
    """Where Kafka's partitioner puts shops with ids as the platforms give them; modulo the partitions."""
    return [partition_of(b"taobao:%d" % (2_208_000_000 + number * 7919), LAST_PLACE) for number in range(shops)]


def partition_loads(shares: list[float], places: list[int], partitions: int) -> list[float]:
    """What each partition has of all messages."""
    loads = [0.0] * partitions
    for share, place in zip(shares, places, strict=True):
        loads[place % partitions] += share
    return loads


def worker_loads(loads: list[float], workers: int) -> list[float]:
    """What each worker has, with the partitions dealt out in turn."""
    dealt = [0.0] * workers
    for partition, load in enumerate(loads):
        dealt[partition % workers] += load
    return dealt


def _power_of_two(least: int) -> int:
    return 1 << max(0, least - 1).bit_length()
