"""A partition's state as its changelogs hold it, and whether it may be gone on from. It fences nobody.

A take-over does this as the partition's owner; `fenliu state verify` does it beside whoever owns it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import RANK, InvalidEvent, Topic
from streams.lane import formats
from streams.lane.checkpoint import CHECKPOINTS, Checkpoint, checkpoint_key, decode_checkpoint
from streams.lane.errors import (
    InputExpiredError,
    InputReplacedError,
    OtherFormatError,
    OtherPartitionsError,
    StateUnreadableError,
)
from streams.lane.restore import restore
from streams.partitioner import partition_of
from streams.routing import Router
from streams.routing.snapshot import StateError
from streams.settings import Settings

Held = dict[tuple[str, bytes], bytes]
"""Live records by table and key."""


@dataclass(slots=True)
class Restored:
    """What the changelogs of a partition hold."""

    router: Router
    checkpoint: Checkpoint | None
    keys: dict[str, int]
    """Live keys of each table in the changelogs."""
    records: int
    """How many were read, superseded ones among them."""
    older: Held | None
    """The live records as they are, if they are of an older format: they must be written anew."""


async def restore_partition(
    reader: AIOKafkaConsumer,
    settings: Settings,
    partition: int,
    *,
    partition_count: int,
    router_factory: Callable[[], Router],
    tables: tuple[str, ...],
) -> Restored:
    """Restore a router: the checkpoint record first, since it says in which format the rest is.

    Raises:
        UntrustedStateError: if the records cannot be read, or are of another number of partitions.
    """
    checkpoint, records = await restore_checkpoint(reader, settings, partition)
    version = formats.FORMAT if checkpoint is None else checkpoint.version
    router = router_factory()
    load = formats.migrated(version, router.load)
    older: Held | None = None if version == formats.FORMAT else {}

    def take(table: str, key: bytes, value: bytes | None) -> None:
        if table == "shops" and value is not None:
            _require_shop_belongs(partition, key, partition_count)
        if older is not None:
            hold(older, table, key, value)
        try:
            load(table, key, value)
        except (StateError, InvalidEvent, ValueError) as exc:
            raise StateUnreadableError(partition, str(exc)) from exc

    records += await restore(reader, settings, tables, partition, take)
    try:
        router.finish_load()
    except (StateError, InvalidEvent, ValueError) as exc:
        raise StateUnreadableError(partition, str(exc)) from exc
    keys = router.key_counts() if older is None else {table: sum(t == table for t, _ in older) for table in tables}
    return Restored(router=router, checkpoint=checkpoint, keys=keys, records=records, older=older)


async def restore_checkpoint(
    reader: AIOKafkaConsumer, settings: Settings, partition: int
) -> tuple[Checkpoint | None, int]:
    """The newest checkpoint record of a partition, and how many records were read.

    Raises:
        UntrustedStateError: if it cannot be read.
    """
    found: Held = {}
    records = await restore(
        reader, settings, (CHECKPOINTS,), partition, lambda table, key, value: hold(found, table, key, value)
    )
    value = found.get((CHECKPOINTS, checkpoint_key(partition)))
    if value is None:
        return None, records
    try:
        return decode_checkpoint(value), records
    except formats.UnknownFormatError as exc:
        raise OtherFormatError(partition, why=str(exc), newer=exc.newer) from exc
    except ValueError as exc:
        raise StateUnreadableError(partition, f"the checkpoint record cannot be read: {exc}") from exc


def hold(held: Held, table: str, key: bytes, value: bytes | None) -> None:
    """Take one record of a changelog."""
    if value is None:
        held.pop((table, key), None)
    else:
        held[table, key] = value


class Bounds(NamedTuple):
    """Of an input: its oldest record that is kept, and where the next one will be."""

    begin: int
    end: int


def inputs_of(settings: Settings, partition: int) -> dict[Topic, TopicPartition]:
    """A partition's inputs, as the cluster calls them."""
    return {topic: TopicPartition(settings.topic(topic), partition) for topic in RANK}


async def committed_offsets(reader: AIOKafkaConsumer, settings: Settings, partition: int) -> dict[Topic, int | None]:
    """What the group has committed for a partition's inputs."""
    return {topic: await reader.committed(tp) for topic, tp in inputs_of(settings, partition).items()}


async def input_bounds(reader: AIOKafkaConsumer, settings: Settings, partition: int) -> dict[Topic, Bounds]:
    """What there is of a partition's inputs."""
    inputs = inputs_of(settings, partition)
    begins = await reader.beginning_offsets(list(inputs.values()))
    ends = await reader.end_offsets(list(inputs.values()))
    return {topic: Bounds(begins[tp], ends[tp]) for topic, tp in inputs.items()}


def read_on(
    settings: Settings,
    partition: int,
    offsets: Mapping[Topic, int | None],
    bounds: Mapping[Topic, Bounds],
    *,
    lost: Callable[[InputExpiredError], None],
) -> dict[Topic, int]:
    """Where each input can be read on.

    Args:
        settings: for the names of the topics.
        partition: of each.
        offsets: where they should be read on; None: at the oldest record.
        bounds: what there is.
        lost: is told of records that were deleted before they were read. Waiting brings none of them back.

    Raises:
        InputReplacedError: if a topic ends before its offset.
    """
    positions: dict[Topic, int] = {}
    for topic, (begin, end) in bounds.items():
        offset = offsets[topic]
        if offset is not None and offset > end:
            raise InputReplacedError(settings.topic(topic), partition, position=offset, end=end)
        if offset is not None and offset < begin:
            lost(InputExpiredError(settings.topic(topic), partition, position=offset, begin=begin))
        positions[topic] = max(begin, offset or 0)
    return positions


def _require_shop_belongs(partition: int, key: bytes, partition_count: int) -> None:
    belongs_to = partition_of(key, partition_count)
    if belongs_to != partition:
        raise OtherPartitionsError(
            partition, shop_id=key.decode(errors="replace"), belongs_to=belongs_to, partitions=partition_count
        )
