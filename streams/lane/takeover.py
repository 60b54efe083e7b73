"""Taking a partition over: its router with the state that was committed, and where to read on.

The order is what makes it right (any other can read an offset that the previous owner still moves):

1. Fence: InitProducerId with the partition's transactional id ends whatever the previous owner had open.
2. Restore the changelogs, committed records only.
3. Ask for the group's committed offsets.
4. Compare both with the checkpoint record; refuse if they are not of one transaction.
5. Check that the inputs still hold what comes next.
6. State of an older format is written anew, so that all of it is of one.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.codec import Topic
from streams.lane import faults
from streams.lane.checkpoint import Checkpoint, Start, agree, may_catch_up
from streams.lane.errors import CheckpointMismatchError, UntrustedStateError, explained
from streams.lane.observer import RestoreReport
from streams.lane.restored import (
    Restored,
    committed_offsets,
    input_bounds,
    inputs_of,
    read_on,
    restore_partition,
)
from streams.lane.transaction import Writer
from streams.lane.writing import difference, write_state
from streams.routing import Router
from streams.settings import Settings

logger = logging.getLogger(__name__)

SETTLE_S = 10.0
"""How long offsets that are behind the checkpoint are asked for again. After all brokers were killed, the group's
coordinator tells old ones for a moment, until its copies have caught up; of changelogs no such end is told."""

SETTLE_EVERY_S = 0.5


@dataclass(slots=True)
class Taken:
    """What a take-over ends with."""

    writer: Writer
    router: Router
    offsets: dict[Topic, int]
    last_times: dict[Topic, int]
    partition_count: int
    """Of the input topics, for the check of `wrong_partition`."""
    dead_letter_partitions: int
    report: RestoreReport


class TakeOver:
    """One take-over. `fenced` says whether step 1 is done: until then it must not go on once the group moved on."""

    def __init__(
        self, settings: Settings, partition: int, *, router_factory: Callable[[], Router], tables: tuple[str, ...]
    ) -> None:
        self._settings = settings
        self._partition = partition
        self._router_factory = router_factory
        self._tables = tables
        self.fenced = False

    async def run(self) -> Taken:
        """Take the partition over; a cancelled take-over leaves nothing behind.

        Raises:
            FenliuError: if it cannot be taken over; the error says what to do.
        """
        writer = Writer(self._settings, self._partition)
        try:
            return await self._run_as_owner(writer)
        except KafkaError as exc:
            await writer.stop()
            raise explained(exc, f"partition {self._partition}") from exc
        except BaseException:
            await writer.stop()
            raise

    async def _run_as_owner(self, writer: Writer) -> Taken:
        try:
            return await self._run(writer)
        except UntrustedStateError:
            # Whoever took the partition over while this one read (this process stood still, say) goes on writing what
            # it reads: then nothing is wrong but that it is no longer the owner.
            await writer.require_owner(inputs_of(self._settings, self._partition)["buyer-messages"])
            raise

    async def _run(self, writer: Writer) -> Taken:
        started = time.monotonic()
        settings, partition = self._settings, self._partition
        await writer.fence()  # 1
        self.fenced = True
        faults.reached("during_takeover")
        partition_count = await writer.partition_count(settings.topic("buyer-messages"))
        async with state_reader(settings) as reader:
            restored = await restore_partition(  # 2
                reader, settings, partition,
                partition_count=partition_count, router_factory=self._router_factory, tables=self._tables,
            )  # fmt: skip
            start = await self._start(reader, restored.checkpoint, restored.keys)
            bounds = await input_bounds(reader, settings, partition)  # 5
            offsets = read_on(settings, partition, start.offsets, bounds, lost=lambda lost: logger.error("%s", lost))
        if restored.older is not None:
            await self._write_anew(writer, restored)  # 6
        router = restored.router
        keys = router.key_counts()
        report = RestoreReport(
            partition=partition,
            seconds=time.monotonic() - started,
            records=restored.records,
            keys=keys,
            gauges=router.gauges(),
            input_partitions=partition_count,
        )
        return Taken(
            writer=writer,
            router=router,
            offsets=offsets,
            last_times=start.last_times,
            partition_count=partition_count,
            dead_letter_partitions=await writer.partition_count(settings.topic("dead-letters")),
            report=report,
        )

    async def _start(self, reader: AIOKafkaConsumer, checkpoint: Checkpoint | None, keys: dict[str, int]) -> Start:
        deadline = time.monotonic() + SETTLE_S
        while True:
            committed = await committed_offsets(reader, self._settings, self._partition)  # 3
            try:
                return agree(  # 4
                    self._partition, self._settings.app_id, checkpoint=checkpoint, committed=committed, keys=keys
                )
            except CheckpointMismatchError:
                if not may_catch_up(checkpoint, committed) or time.monotonic() >= deadline:
                    raise
            logger.warning(
                "Partition %d: the committed offsets are behind the checkpoint; asking again", self._partition
            )
            await asyncio.sleep(SETTLE_EVERY_S)

    async def _write_anew(self, writer: Writer, restored: Restored) -> None:
        checkpoint, older, router = restored.checkpoint, restored.older, restored.router
        assert checkpoint is not None and older is not None  # noqa: S101, PT018  it says that they are of an older format
        router.rewrite()
        changes = difference(older, router.take_changes())
        current = Checkpoint(offsets=checkpoint.offsets, last_times=checkpoint.last_times, keys=router.key_counts())
        logger.warning(
            "Partition %d: the state is of format %d and is written anew in format %d (%d records); older versions of "
            "fenliu cannot take this partition over any more",
            self._partition, checkpoint.version, current.version, len(changes),
        )  # fmt: skip
        await write_state(writer, self._settings, self._partition, changes, current)


@asynccontextmanager
async def state_reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer outside the group that reads committed records and may ask for the group's offsets."""
    consumer = AIOKafkaConsumer(
        **settings.kafka_client_kwargs(),
        group_id=settings.app_id,
        isolation_level="read_committed",
        enable_auto_commit=False,
        # With an explicit seek(): seek_to_beginning() after assign() races with a reset to the end.
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=32 << 20,
    )
    try:
        await consumer.start()
        # With the first assignment aiokafka begins to look for the group's coordinator, and fails for good if the
        # assignment changes before it has found it. So it is found first.
        await consumer.committed(TopicPartition(settings.topic("buyer-messages"), 0))
        yield consumer
    finally:
        await consumer.stop()
