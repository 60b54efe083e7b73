"""`fenliu state verify`: whether each partition's state could be taken over, told beside whoever owns it.

It does what a take-over does, without the fence: so of a partition that is being routed what it reads may not be of one
transaction. It then looks again, and says that it cannot tell when that does not help.
"""

import asyncio
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer

from schemas.codec import Topic
from streams.errors import FenliuError
from streams.kafka_clients import failures_in_words, partition_counts
from streams.lane.checkpoint import agree
from streams.lane.errors import UntrustedStateError
from streams.lane.restored import (
    Restored,
    committed_offsets,
    input_bounds,
    read_on,
    restore_checkpoint,
    restore_partition,
)
from streams.lane.takeover import state_reader
from streams.routing import TABLES, Router
from streams.settings import Settings
from streams.topic_findings import Problem

_TRIES = 3
_AGAIN_S = 0.5
"""After which a transaction that was seen in part is seen whole."""


@dataclass(slots=True)
class PartitionState:
    """What was found of one partition."""

    partition: int
    keys: dict[str, int] = field(default_factory=dict)
    """Live keys of each table."""
    offsets: dict[Topic, int | None] = field(default_factory=dict)
    """What the group has committed."""
    format: int | None = None
    """Of the checkpoint record; None: there is none."""
    findings: list[Problem] = field(default_factory=list)
    cannot_tell: bool = False
    """Whether it was routed while it was looked at."""

    @property
    def ok(self) -> bool:
        """Whether a worker can take it over."""
        return not self.findings and not self.cannot_tell


async def verify(settings: Settings, partition: int, *, partition_count: int) -> PartitionState:
    """Look at one partition.

    Args:
        settings: where the cluster is.
        partition: its number.
        partition_count: how many there are.

    Raises:
        BrokerUnreachableError: if no broker answers.
    """
    with failures_in_words(settings.kafka_client_kwargs()):
        async with state_reader(settings) as reader:
            for _ in range(_TRIES):
                before = await _checkpoint_or_refusal(reader, settings, partition)
                state = await _look(reader, settings, partition, partition_count)
                if state.ok:
                    return state
                await asyncio.sleep(_AGAIN_S)
                if await _checkpoint_or_refusal(reader, settings, partition) == before:
                    return state
    state.cannot_tell = True
    return state


async def count_of_partitions(settings: Settings) -> int:
    """How many partitions the inputs have; the topics must be as declared."""
    return (await partition_counts(settings.kafka_client_kwargs()))[settings.topic("buyer-messages")]


async def _checkpoint_or_refusal(reader: AIOKafkaConsumer, settings: Settings, partition: int) -> object:
    """The checkpoint record, or why there is none, for comparing it with itself later."""
    try:
        return (await restore_checkpoint(reader, settings, partition))[0]
    except UntrustedStateError as exc:
        return str(exc)


async def _look(reader: AIOKafkaConsumer, settings: Settings, partition: int, partition_count: int) -> PartitionState:
    state = PartitionState(partition, offsets=await committed_offsets(reader, settings, partition))
    try:
        restored = await restore_partition(
            reader, settings, partition, partition_count=partition_count, router_factory=Router, tables=TABLES
        )
        await _compare(reader, settings, state, restored)
    except FenliuError as exc:
        state.findings.append(Problem(exc.what, exc.mend))
    return state


async def _compare(reader: AIOKafkaConsumer, settings: Settings, state: PartitionState, restored: Restored) -> None:
    partition, checkpoint = state.partition, restored.checkpoint
    state.keys, state.format = restored.keys, None if checkpoint is None else checkpoint.version
    state.offsets = await committed_offsets(reader, settings, partition)
    start = agree(partition, settings.app_id, checkpoint=checkpoint, committed=state.offsets, keys=restored.keys)
    read_on(
        settings,
        partition,
        start.offsets,
        await input_bounds(reader, settings, partition),
        lost=lambda lost: state.findings.append(Problem(f"{lost.where}: {lost.what}", lost.mend)),
    )
