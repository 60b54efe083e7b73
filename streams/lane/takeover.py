"""Taking a partition over: its router with the state that was committed, and where to read on.

The order is what makes it right (any other can read an offset that the previous owner still moves):

1. Fence: InitProducerId with the partition's transactional id ends whatever the previous owner had open.
2. Restore the changelogs, committed records only.
3. Ask for the group's committed offsets.
4. Compare both with the checkpoint record; refuse if they are not of one transaction.
5. Check that the inputs still hold what comes next.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.codec import RANK, Topic
from streams.lane import faults
from streams.lane.checkpoint import (
    CHECKPOINTS,
    Checkpoint,
    Start,
    agree,
    checkpoint_key,
    decode_checkpoint,
    may_catch_up,
)
from streams.lane.errors import CheckpointMismatchError, InputExpiredError, InputReplacedError, explained
from streams.lane.observer import RestoreReport
from streams.lane.restore import restore
from streams.lane.transaction import Writer
from streams.routing import Router
from streams.routing.snapshot import StateError
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
        except (CheckpointMismatchError, StateError):
            # Whoever took the partition over while this one read (this process stood still, say) goes on writing what
            # it reads: then nothing is wrong but that it is no longer the owner.
            await writer.require_owner(self._input("buyer-messages"))
            raise

    async def _run(self, writer: Writer) -> Taken:
        started = time.monotonic()
        await writer.fence()  # 1
        self.fenced = True
        faults.reached("during_takeover")
        router, checkpoints = self._router_factory(), dict[bytes, bytes | None]()

        def load(table: str, key: bytes, value: bytes | None) -> None:
            if table == CHECKPOINTS:
                checkpoints[key] = value
            else:
                router.load(table, key, value)

        async with _reader(self._settings) as reader:
            tables = (*self._tables, CHECKPOINTS)
            records = await restore(reader, self._settings, tables, self._partition, load)  # 2
            router.finish_load()
            start = await self._start(reader, self._checkpoint(checkpoints), router.key_counts())
            offsets = await self._check_inputs(reader, start)
        keys = router.key_counts()
        report = RestoreReport(
            partition=self._partition,
            seconds=time.monotonic() - started,
            records=records,
            keys=keys,
            gauges=router.gauges(),
        )
        return Taken(
            writer=writer,
            router=router,
            offsets=offsets,
            last_times=start.last_times,
            partition_count=await writer.partition_count(self._settings.topic("buyer-messages")),
            dead_letter_partitions=await writer.partition_count(self._settings.topic("dead-letters")),
            report=report,
        )

    def _checkpoint(self, records: dict[bytes, bytes | None]) -> Checkpoint | None:
        value = records.get(checkpoint_key(self._partition))
        if value is None:
            return None
        try:
            return decode_checkpoint(value)
        except ValueError as exc:
            raise CheckpointMismatchError(
                self._partition,
                self._settings.app_id,
                committed="offsets that were not looked at",
                checkpoint=f"something unknown ({exc})",
                why="the checkpoint record cannot be read by this version of fenliu",
            ) from exc

    async def _start(self, reader: AIOKafkaConsumer, checkpoint: Checkpoint | None, keys: dict[str, int]) -> Start:
        deadline = time.monotonic() + SETTLE_S
        while True:
            committed: dict[Topic, int | None] = {}
            for topic in RANK:  # 3
                committed[topic] = await reader.committed(self._input(topic))
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

    async def _check_inputs(self, reader: AIOKafkaConsumer, start: Start) -> dict[Topic, int]:  # 5
        inputs = [self._input(topic) for topic in RANK]
        begins, ends = await reader.beginning_offsets(inputs), await reader.end_offsets(inputs)
        offsets: dict[Topic, int] = {}
        for topic, tp in zip(RANK, inputs, strict=True):
            offset = start.offsets[topic]
            if offset is not None and offset > ends[tp]:
                raise InputReplacedError(tp.topic, tp.partition, position=offset, end=ends[tp])
            if offset is not None and offset < begins[tp]:
                # They are gone, and waiting brings none of them back: say it and go on.
                logger.error("%s", InputExpiredError(tp.topic, tp.partition, position=offset, begin=begins[tp]))
            offsets[topic] = max(begins[tp], offset or 0)
        return offsets

    def _input(self, topic: Topic) -> TopicPartition:
        return TopicPartition(self._settings.topic(topic), self._partition)


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
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
        yield consumer
    finally:
        await consumer.stop()
