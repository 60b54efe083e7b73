"""The thread of the group's consumer: heartbeats, fetches from where the lane wants to read, and what stops them.

No record is taken whose offset is not explained. The consumer never replaces a position that brokers do not have by
another (auto_offset_reset `none`): it is said why they do not have it.
"""

import asyncio
import logging
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import ConsumerStoppedError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Transport
from mode import Service

import streams.lane.header_names  # noqa: F401  from here on no header name stops a consumer
from schemas.codec import RANK
from streams.lane.errors import InputExpiredError, InputMissingError, InputReplacedError, TopicReplacedError
from streams.lane.inputs import Fetched
from streams.topic_ids import topic_ids

if TYPE_CHECKING:
    from streams.lane.consumer import LaneConsumer

logger = logging.getLogger(__name__)

FETCH_WAIT_S = 0.25
"""How long a fetch waits for records; whatever arrives ends it at once. An idle partition's watermark (O1) is up to
twice this old, and timers come that much after the second that they wait."""

CROWDED_WAIT_S = 0.01
"""The same while a topic is left out because enough of it is buffered: it must soon be asked for again."""

FETCH_RECORDS = 5000
"""At most so many records a fetch, so that decoding them holds up nobody for more than some tens of milliseconds."""

TOPICS_EVERY_S = 1.0
"""How often it is looked whether the inputs are still the topics that they were."""

UNKNOWN = UUID(int=0)
"""Of topics on a broker that tells no ids."""

MISSING_S = 10.0
"""How long a topic may be left out of an assignment: after a change of leaders it may not be known at once."""


class LaneThread(AIOKafkaConsumerThread):
    """The thread in which the group's consumer and its heartbeats run."""

    consumer: "LaneConsumer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heard: dict[TopicPartition, tuple[float, int]] = {}
        self._timed: object = None
        self._topic_ids: dict[str, UUID] = {}
        self._missing: dict[TopicPartition, float] = {}

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:  # noqa: ARG002
        settings = self.consumer.settings
        session_ms = settings.session_timeout_s * 1000
        return AIOKafkaConsumer(
            **settings.kafka_client_kwargs(),
            client_id=f"{settings.app_id}-worker",
            group_id=settings.app_id,
            group_instance_id=settings.group_instance_id,
            # Gives a partition number of all four inputs to one worker; without changelogs Faust chose round robin.
            partition_assignment_strategy=[self.app.assignor],
            enable_auto_commit=False,
            # The lane says where to read. A position that the broker does not have is never replaced by another.
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 4,
            # How long the others wait in a rebalance for this worker to commit its batches under way.
            rebalance_timeout_ms=max(session_ms, 60_000),
            fetch_max_wait_ms=int(FETCH_WAIT_S * 1000),
            request_timeout_ms=max(session_ms, 40_000),
        )

    @Service.task
    async def _watch_group(self) -> None:
        """Tell the lane when the group's coordination has ended with an error.

        aiokafka tells whoever polls, but Faust polls below it: the worker would wait for partitions for ever.
        """
        while not self.should_stop:
            await self.sleep(1.0)
            try:
                if self._consumer is not None:
                    self._consumer._coordinator.check_errors()
            except Exception as exc:  # noqa: BLE001  whatever it is: this worker gets no partitions any more
                self.parent_loop.call_soon_threadsafe(self.consumer.lane.on_failure, exc)
                return

    @Service.task
    async def _watch_topics(self) -> None:
        """Tell the lane when an input was deleted and created anew under its name.

        Where the new one has grown past the position before anybody read, no offset tells.
        """
        while not self.should_stop:
            await self.sleep(TOPICS_EVERY_S)
            try:
                if self._topic_ids:
                    await self._compare_topic_ids()
            except TopicReplacedError as exc:
                self.parent_loop.call_soon_threadsafe(self.consumer.lane.on_failure, exc)
                return

    async def _know_topics(self) -> bool:
        """Whether it is known which topics the inputs are."""
        if not self._topic_ids:
            await self._compare_topic_ids()
        return bool(self._topic_ids)

    async def _compare_topic_ids(self) -> None:
        """Note which topics the inputs are (KIP-516), as far as a broker tells.

        Raises:
            TopicReplacedError: if one is another than before.
        """
        settings = self.consumer.settings
        try:
            ids = await topic_ids(self._ensure_consumer()._client, [settings.topic(topic) for topic in RANK])
        except NotImplementedError:  # the embedded broker
            ids = dict.fromkeys((settings.topic(topic) for topic in RANK), UNKNOWN)
        except (KafkaError, OSError) as exc:
            logger.debug("The ids of the inputs are not known now: %r", exc)
            return
        for topic, id_ in ids.items():
            if self._topic_ids.setdefault(topic, id_) != id_:
                raise TopicReplacedError(topic)

    async def on_thread_stop(self) -> None:
        """Leave the group, even while it waits for a member that is gone, for that takes a session timeout.

        Brokers answer nothing else on a connection that waits for a join, so leaving needs a new one.
        """
        if self._consumer is not None and self._consumer._coordinator._performed_join_prepare:
            coordinator = self._consumer._coordinator
            coordinator._coordination_task.cancel()
            await asyncio.wait([coordinator._coordination_task])
            place = coordinator.coordinator_id, ConnectionGroup.COORDINATION
            if (connection := self._consumer._client._conns.get(place)) is not None:
                connection.close()
        await super().on_thread_stop()

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:
        """The worker reports why it ends; Faust would print a traceback of its own besides."""

    async def fetch(self, wanted: dict[TopicPartition, int], timeout_s: float) -> dict[TopicPartition, Fetched]:
        """Fetch from where the lane wants to read; called from the lane's event loop, runs in this thread."""
        fetched: dict[TopicPartition, Fetched] = await self.call_thread(self._fetch, wanted, timeout_s)
        return fetched

    async def _fetch(self, wanted: dict[TopicPartition, int], timeout_s: float) -> dict[TopicPartition, Fetched]:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        subscription = consumer._subscription.subscription
        assignment: Any = None if subscription is None else subscription.assignment
        if assignment is None or not assignment.active or not self.consumer.flow_active:
            wanted = {}
        live = {tp: at for tp, at in wanted.items() if tp in assignment.tps}
        self._require_whole(wanted, live)
        # Entering the context is what counts as polling: a worker without partitions must do it too, or the client
        # leaves the group after max.poll.interval and never joins again.
        with consumer._subscription.fetch_context():
            if not live:
                await asyncio.sleep(timeout_s)
                return {}
            if not await self._know_topics():  # before the first record is read
                await asyncio.sleep(timeout_s)
                return {}
            self._time_requests(fetcher)
            for tp, offset in live.items():
                state = assignment.state_value(tp)
                if not (state.has_valid_position and state.position == offset):
                    consumer.seek(tp, offset)
            try:
                records = await fetcher.fetched_records(set(live), timeout=timeout_s, max_records=FETCH_RECORDS)
            except NoOffsetForPartitionError:  # of before the lane said where to read
                records = {}
            except OffsetOutOfRangeError as exc:
                records = {}
                await self._explain(consumer, live, exc.args[0])
        if not assignment.active:
            return {}
        return {
            tp: self._fetched(tp, offset, assignment.state_value(tp), records.get(tp, ()))
            for tp, offset in live.items()
            if assignment.state_value(tp).has_valid_position
        }

    def _time_requests(self, fetcher: Any) -> None:
        """Note when each fetch was sent: what the broker answers was true then, however late the answer is read."""
        if self._timed is fetcher:
            return
        self._timed, ask = fetcher, fetcher._proc_fetch_request

        async def ask_timed(assignment: Any, node_id: int, request: Any) -> bool:
            sent = time.monotonic(), int(time.time() * 1000)
            tps = [TopicPartition(topic, each[0]) for topic, partitions in request.topics for each in partitions]
            for tp in tps:
                assignment.state_value(tp).timestamp = None
            brought: bool = await ask(assignment, node_id, request)
            for tp in tps:
                # Set where the answer was taken: not for an error, or from another position than is wanted now.
                if assignment.active and assignment.state_value(tp).timestamp is not None:
                    self._heard[tp] = sent
            return brought

        fetcher._proc_fetch_request = ask_timed

    async def _explain(
        self, consumer: AIOKafkaConsumer, wanted: dict[TopicPartition, int], refused: dict[TopicPartition, int]
    ) -> None:
        """Say why a broker does not have a position that is wanted.

        Raises:
            InputExpiredError: the records are gone.
            InputReplacedError: the topic ended before it: it was deleted and made anew, or lost its newest records.
        """
        for tp, offset in refused.items():
            if wanted.get(tp) != offset:
                continue
            begin = (await consumer.beginning_offsets([tp]))[tp]
            if begin > offset:
                raise InputExpiredError(tp.topic, tp.partition, position=offset, begin=begin)
            end = (await consumer.end_offsets([tp]))[tp]
            raise InputReplacedError(tp.topic, tp.partition, position=offset, end=end)

    def _require_whole(self, wanted: Collection[TopicPartition], live: Collection[TopicPartition]) -> None:
        """Raise if the group has for a while given out a partition number without one of its topics.

        Faust leaves a topic that was deleted out of the assignment, and the others would wait for it for ever (O2).

        Raises:
            InputMissingError: naming it.
        """
        numbers, now = {tp.partition for tp in live}, time.monotonic()
        missing = [tp for tp in wanted if tp not in live and tp.partition in numbers]
        self._missing = {tp: self._missing.get(tp, now) for tp in missing}
        for tp, since in self._missing.items():
            if now - since >= MISSING_S:
                raise InputMissingError(tp.topic, tp.partition)

    def _fetched(self, tp: TopicPartition, start: int, state: Any, records: Any) -> Fetched:
        """What is known of a topic now; read in one go with the records, so that they belong together."""
        heard_at, heard_ms = self._heard.get(tp, (0.0, 0))
        heard = tp in self._heard
        end = state.lso if state.lso is not None and state.lso >= 0 else state.highwater
        return Fetched(start, state.position, end, state.highwater if heard else None, heard_at, heard_ms, records)
