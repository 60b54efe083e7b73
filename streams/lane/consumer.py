"""Faust's consumer, with the path of single messages replaced by the lane's path of batches.

Faust keeps the group's membership, the flow control and the streams. The lane owns the positions: before each fetch the
consumer is told where to read, since Faust drops records that a rebalance overtakes and would never read them again.
"""

import asyncio
from collections.abc import Set as AbstractSet
from typing import Any, Protocol, cast

from aiokafka.errors import ConsumerStoppedError
from faust.transport.consumer import Fetcher
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP, Message
from mode import Service

from streams.lane.consumer_thread import CROWDED_WAIT_S, FETCH_WAIT_S, LaneThread
from streams.lane.inputs import Batch
from streams.lane.lane import Lane
from streams.settings import Settings


class LaneConsumer(Consumer):
    """Delivers batches to the agents instead of messages, and commits nothing: transactions do."""

    _thread: LaneThread

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return cast("LaneApp", self.app).settings

    @property
    def lane(self) -> Lane:
        """The lane of this process."""
        return cast("LaneApp", self.app).lane

    def _new_consumer_thread(self) -> LaneThread:
        return LaneThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ARG002
        """Fetch, announce and keep time until cancelled: Faust's fetcher service runs this."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._feed_lane(), name="fetch")
                tasks.create_task(self._announce_batches(), name="announce")
                tasks.create_task(self.lane.tick(), name="tick")
        except* ConsumerStoppedError:
            if not self.app.should_stop:
                raise
        except* Exception as exc:  # noqa: BLE001  nothing may be lost silently: the process ends
            self.lane.on_failure(exc)

    async def _feed_lane(self) -> None:
        lane = self.lane
        while not self.should_stop:
            if not self.flow_active:
                await self.can_resume_flow.wait()
                continue
            lane.room.clear()
            wanted, crowded = lane.wanted()
            if crowded and not wanted:
                await lane.room.wait()
                continue
            lane.feed(await self._thread.fetch(wanted, CROWDED_WAIT_S if crowded else FETCH_WAIT_S))

    async def _announce_batches(self) -> None:
        lane = self.lane
        while not self.should_stop:
            await lane.work.wait()
            lane.work.clear()
            for batch in lane.announce():
                await self.callback(self._message_of(batch))

    def _message_of(self, batch: Batch) -> Message:
        """A batch as the one message that Faust's streams see; it stands for its last record."""
        record = batch.runs[-1][1][-1][0]
        tp = TP(record.topic, record.partition)
        message = self._to_message(tp, record)
        message.value = batch  # type: ignore[assignment]  # Faust passes on whatever it is
        return message

    def ack(self, message: Message) -> bool:
        """The stream is done with a batch: the lane knows by itself when it is committed."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002
        """Offsets are committed by the transaction of each batch, never here."""
        return False

    async def perform_seek(self) -> None:
        """The lane tells the consumer where to read, before each fetch."""

    async def wait_empty(self) -> None:
        """Called by Faust before partitions move, and at the end: commit what is under way and start nothing new."""
        await self.lane.hold()

    async def on_stop(self) -> None:
        """Close the writers before the group is left, so that a successor finds nothing open."""
        await self.lane.stop()
        await super().on_stop()


class LaneFetcher(Fetcher):
    """Runs the consumer's loop. Faust's own takes it for a crash to be stopped while the group moves partitions."""

    @Service.task
    async def _fetcher(self) -> None:
        try:
            await cast("LaneConsumer", self.app.consumer)._drain_messages(self)
        finally:
            self.set_shutdown()


class LaneTransport(Transport):
    """Faust's aiokafka transport with the lane's consumer."""

    Consumer = LaneConsumer
    Fetcher = LaneFetcher


class LaneApp(Protocol):
    """What the lane's parts of Faust need of the app that they belong to."""

    settings: Settings
    lane: Lane


def partition_numbers(tps: AbstractSet[TP], topic: str) -> set[int]:
    """The partition numbers of a topic among those assigned."""
    return {tp.partition for tp in tps if tp.topic == topic}
