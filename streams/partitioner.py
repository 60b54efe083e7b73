"""Which partition a key belongs to, as Kafka's default partitioner says. It knows no broker."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=1 << 16)  # murmur2 in Python costs as much as routing the event does, and shops come again and again
def partition_of(key: bytes, partition_count: int) -> int:
    """The partition of a record with this key, as producers with Kafka's murmur2 partitioner choose it."""
    return int(murmur2(key) & 0x7FFFFFFF) % partition_count
