"""The lane: which partitions this worker routes, and what runs on them. It knows no Faust.

The consumer tells it what the group assigned and feeds it; the agent gives it the batches to run. Everything here
happens on one event loop.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterator
from typing import NoReturn

from aiokafka import TopicPartition

from schemas.codec import RANK
from streams.errors import FencedError
from streams.lane import memory
from streams.lane.inputs import Batch, Fetched
from streams.lane.observer import Observer, PartitionStatus
from streams.lane.partition import Partition
from streams.lane.takeover import TakeOver
from streams.routing import Router
from streams.settings import Settings

logger = logging.getLogger(__name__)

TICK_S = 0.1
"""How often a partition without batches is asked for timers that are due (O1): a tenth of the second that they wait."""

LAG_EVERY_S = 1.0
"""How often the lag of the inputs is reported."""


def _unhandled(exc: BaseException) -> NoReturn:
    raise exc


class Lane:
    """The partitions of this worker.

    Args:
        settings: where the cluster is, and what things are called there.
        router_factory: makes the router of a partition, without state.
        tables: the state tables of a router; each has a changelog.
        observer: is told about batches, take-overs and rebalances.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        router_factory: Callable[[], Router],
        tables: tuple[str, ...],
        observer: Observer,
    ) -> None:
        self._settings = settings
        self._router_factory = router_factory
        self._tables = tables
        self._observer = observer
        self._topic_of = {settings.topic(topic): topic for topic in RANK}
        self._partitions: dict[int, Partition] = {}
        self._take_overs: dict[int, tuple[TakeOver, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._moving = asyncio.Lock()
        self._lag_at = 0.0
        self.assignment_epoch = 0
        """Grows whenever the group starts to move partitions: an assignment from before that is out of date."""
        self._assigned_in: int | None = None
        """The epoch of the assignment in force; not the present one while the group moves partitions."""
        self.on_failure: Callable[[BaseException], object] = _unhandled
        """What ends this process; the worker sets it."""
        self.work = asyncio.Event()
        """Set when a partition may have a batch to take."""
        self.room = asyncio.Event()
        """Set when there may be more to fetch than before."""

    # Membership

    async def hold(self) -> None:
        """Start nothing new, and wait until the batches under way are committed: the group is about to move partitions.

        A take-over that has not fenced yet is abandoned: done later, it could fence the partition's next owner.
        """
        self.assignment_epoch += 1
        async with self._moving:
            for partition in self._partitions.values():
                partition.hold()
            for number, (take_over, task) in list(self._take_overs.items()):
                if not take_over.fenced:
                    await self._abandon(number, task)
            while self._tasks:
                await asyncio.wait(set(self._tasks))

    async def assign(self, numbers: Collection[int], *, epoch: int) -> None:
        """Own these partitions: keep what we had and have, let go the others, take over what is new.

        Args:
            numbers: all that the group gave this worker.
            epoch: `assignment_epoch` as it was when the group gave them; if it has grown since, this does nothing.
        """
        async with self._moving:
            if epoch != self.assignment_epoch:
                return
            logger.info("Partitions of this worker: %s", ", ".join(map(str, sorted(numbers))) or "none")
            self._observer.rebalanced(numbers)
            await self._release((set(self._partitions) | set(self._take_overs)) - set(numbers))
            for partition in self._partitions.values():
                partition.resume()
            for number in sorted(set(numbers) - set(self._partitions) - set(self._take_overs)):
                take_over = TakeOver(self._settings, number, router_factory=self._router_factory, tables=self._tables)
                task = asyncio.create_task(self._take_over(number, take_over), name=f"take over partition {number}")
                self._take_overs[number] = take_over, task
            self._assigned_in = epoch
        self._wake()

    async def stop(self) -> None:
        """Let everything go, at the end of the process."""
        await self.hold()
        await self._release(set(self._partitions) | set(self._take_overs))

    async def _release(self, numbers: set[int]) -> None:
        leaving = numbers & set(self._partitions)
        for number in numbers:
            if number in self._take_overs:
                await self._abandon(number, self._take_overs[number][1])
            if number in leaving:
                await self._partitions.pop(number).stop()
            self._observer.released(number)
        if leaving:
            memory.state_left()

    async def _abandon(self, number: int, task: asyncio.Task[None]) -> None:
        del self._take_overs[number]
        task.cancel()
        await asyncio.wait([task])

    async def _take_over(self, number: int, take_over: TakeOver) -> None:
        try:
            taken = await take_over.run()
            partition = self._partitions[number] = Partition(number, self._settings, taken)
            if self._assigned_in == self.assignment_epoch:
                partition.resume()
            memory.state_arrived()
            del self._take_overs[number]
            logger.info(
                "Partition %d: taken over in %.2f s, %d changelog records, %d keys",
                number, taken.report.seconds, taken.report.records, sum(taken.report.keys.values()),
            )  # fmt: skip
            self._observer.restored(taken.report)
        except Exception as exc:  # noqa: BLE001  whatever it is, this process does not own the partition and must say so
            self.on_failure(exc)
            return
        self._wake()

    # Records in

    def wanted(self) -> tuple[dict[TopicPartition, int], bool]:
        """Where to fetch, and whether topics are left out because enough of them is buffered."""
        wanted: dict[TopicPartition, int] = {}
        for number, partition in self._partitions.items():
            for topic, position in partition.inputs.wanted().items():
                wanted[TopicPartition(self._settings.topic(topic), number)] = position
        return wanted, len(wanted) < len(RANK) * len(self._partitions)

    def feed(self, fetched: dict[TopicPartition, Fetched]) -> None:
        """Take what a fetch brought."""
        news = False
        for tp, part in fetched.items():
            partition = self._partitions.get(tp.partition)
            if partition is not None and partition.inputs.feed(self._topic_of[tp.topic], part):
                news = True
        if news:
            self.work.set()

    # Batches out

    def announce(self) -> Iterator[Batch]:
        """The next batch of every partition that has one and has nothing else under way, for the agent's stream."""
        for partition in list(self._partitions.values()):
            batch = partition.announce()
            if batch is not None:
                self.room.set()
                yield batch

    def submit(self, batch: Batch) -> None:
        """Run a batch that was announced; other partitions go on meanwhile.

        One that a rebalance has overtaken is dropped: its records are read again, by whoever owns the partition now.
        """
        partition = self._partitions.get(batch.partition)
        if partition is not None and partition.accept(batch):
            self._run(partition, batch)

    def _run(self, partition: Partition, batch: Batch) -> None:
        task = asyncio.create_task(self._process(partition, batch), name=f"partition {partition.number}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process(self, partition: Partition, batch: Batch) -> None:
        try:
            self._observer.batch_committed(await partition.process(batch))
            partition.done(self.work.set)
        except Exception as exc:  # noqa: BLE001  the router is ahead of what is committed: only a new process may go on
            self._fail(partition, exc)
            return
        self._wake()

    def _fail(self, partition: Partition, exc: Exception) -> None:
        """End this process; nothing new begins meanwhile, and what the other partitions have under way is committed."""
        try:
            partition.fail()
            for other in self._partitions.values():
                other.hold()
            if isinstance(exc, FencedError):
                self._observer.fenced(partition.number)
        finally:
            self.on_failure(exc)

    # The clock

    async def tick(self) -> None:
        """Fire the timers of partitions without batches, and report lags, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            for partition in self._partitions.values():
                timers = partition.due()
                if timers is not None:
                    self._run(partition, timers)
            if time.monotonic() - self._lag_at >= LAG_EVERY_S:
                self._lag_at = time.monotonic()
                for status in self.status():
                    if status.ready:
                        self._observer.input_lag(status.partition, status.lag_records, status.lag_s)
                        self._observer.progress(status.partition, max(0.0, time.monotonic() - status.progress_at))

    def status(self) -> list[PartitionStatus]:
        """Where every assigned partition stands."""
        ready = [partition.status() for partition in self._partitions.values()]
        waiting = [PartitionStatus(partition=number, ready=False) for number in self._take_overs]
        return sorted(ready + waiting, key=lambda status: status.partition)

    def shop_pending(self, shop_id: str) -> dict[str, int]:
        """Pending replies by account of a shop, if this worker routes it."""
        pending: dict[str, int] = {}
        for partition in self._partitions.values():
            pending |= partition.shop_pending(shop_id)
        return pending

    def _wake(self) -> None:
        self.work.set()
        self.room.set()
