"""One transaction a batch: what the router decided, what changed, and how far it has read. It decides nothing.

Each partition has its own transactional producer, whose id is fixed: whoever starts one fences the one before.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiokafka.producer.sender
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streams.dead_letters import Header
from streams.errors import BrokerUnreachableError
from streams.lane import faults
from streams.lane.errors import explained
from streams.settings import Settings

# A transaction that follows another at once waits for its markers; aiokafka asks again after 20 ms, which made a
# transaction 33 ms long where 2 ms make it 7.
aiokafka.producer.sender.BACKOFF_OVERRIDE = 0.002

TRANSACTION_TIMEOUT_S = 60.0
"""How long a transaction may take before the broker is said to be gone. Kafka's own default; the broker aborts what is
open longer, so a worker that comes back after it is fenced."""

FENCE_TIMEOUT_S = 90.0
"""How long a take-over may wait for the previous owner's transaction to end: the time above and some."""

OWNER_TIMEOUT_S = 10.0
"""How long to wait for the broker's word on who owns a transactional id."""

Sent = tuple[bytes | None, bytes | None, list[Header]]
"""Key, value and headers of a record to send."""


@dataclass(slots=True)
class Outcome:
    """What a transaction publishes: records by (topic, partition) on the cluster, and the offsets consumed."""

    records: dict[TopicPartition, list[Sent]] = field(default_factory=dict)
    offsets: dict[TopicPartition, int] = field(default_factory=dict)

    def to(self, topic: str, partition: int) -> list[Sent]:
        """The records for a topic and partition, to append to; they keep their order."""
        return self.records.setdefault(TopicPartition(topic, partition), [])

    def consume(self, partition: int, offsets: Mapping[str, int]) -> None:
        """Where the inputs of a partition are read on, by topic."""
        self.offsets.update({TopicPartition(topic, partition): offset for topic, offset in offsets.items()})


class Writer:
    """The transactional producer of one partition."""

    def __init__(self, settings: Settings, partition: int) -> None:
        self._partition = partition
        self._group = settings.app_id
        self._producer = AIOKafkaProducer(
            **settings.kafka_client_kwargs(),
            client_id=f"{settings.app_id}-writer-{partition}",
            transactional_id=settings.transactional_id(partition),
            transaction_timeout_ms=int(TRANSACTION_TIMEOUT_S * 1000),
            linger_ms=0,
            # What a broker takes by default (message.max.bytes), so that a batch needs few requests.
            max_batch_size=1 << 20,
            max_request_size=8 << 20,
            # After a commit brokers ask for retries while its markers are written; 100 ms would be most of the time.
            retry_backoff_ms=5,
        )

    async def fence(self) -> None:
        """Take the transactional id: returns when the previous owner's transaction is aborted or complete.

        Raises:
            BrokerUnreachableError: if no broker answered in time.
        """
        try:
            async with asyncio.timeout(FENCE_TIMEOUT_S):
                await self._producer.start()
        except TimeoutError as exc:
            raise BrokerUnreachableError(
                f"the transactional id could not be taken over within {FENCE_TIMEOUT_S:.0f} s",
                where=f"partition {self._partition}",
                mend="see whether the brokers are up and __transaction_state has its leaders",
            ) from exc
        except KafkaError as exc:
            raise explained(exc, f"partition {self._partition}") from exc

    async def require_owner(self, tp: TopicPartition) -> None:
        """Raise if a successor has taken the transactional id since `fence`; publishes nothing.

        Without a request nobody tells, so a transaction that moves one offset is begun and aborted.

        Args:
            tp: any input partition of this writer's.

        Raises:
            KafkaError: of the kind that `explained` takes for being fenced.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(OWNER_TIMEOUT_S):
                await self._producer.begin_transaction()
                await self._producer.send_offsets_to_transaction({tp: 0}, self._group)
                await self._producer.abort_transaction()

    async def partition_count(self, topic: str) -> int:
        """How many partitions a topic has."""
        return len(await self._producer.partitions_for(topic))

    async def commit(self, outcome: Outcome) -> float:
        """Publish an outcome, all of it or nothing.

        1. Begin.
        2. Send the records, in batches built once; order within a partition is kept.
        3. Send the consumed offsets, as part of the transaction.
        4. Wait until every batch is delivered: a commit does not fail because of a batch that failed.
        5. Commit. From here on consumers see it, and a successor starts after it.

        Returns:
            How long it took, in seconds.

        Raises:
            FencedError: a successor has taken the partition over; nothing of this was published.
            BrokerUnreachableError: it took longer than a transaction may; whether step 5 was done is for the broker to
                know, and for the next take-over to read.
        """
        started = time.monotonic()
        try:
            async with asyncio.timeout(TRANSACTION_TIMEOUT_S):
                await self._commit(outcome)
        except TimeoutError as exc:
            raise BrokerUnreachableError(
                f"a transaction did not end within {TRANSACTION_TIMEOUT_S:.0f} s",
                where=f"partition {self._partition}",
                mend="see whether the brokers are up, and the partitions of fenliu's topics have leaders and as many "
                "copies in sync as their min.insync.replicas",
            ) from exc
        except (KafkaError, ExceptionGroup) as exc:
            raise explained(exc, f"partition {self._partition}") from exc
        return time.monotonic() - started

    async def _commit(self, outcome: Outcome) -> None:
        producer = self._producer
        faults.reached("before_begin")
        await producer.begin_transaction()  # 1
        faults.reached("after_begin")
        timestamp_ms = int(time.time() * 1000)
        async with asyncio.TaskGroup() as deliveries:
            for tp, records in outcome.records.items():  # 2
                if records:
                    deliveries.create_task(self._send(tp, records, timestamp_ms))
            deliveries.create_task(self._send_offsets(outcome))  # 3
        faults.reached("before_commit")  # 4: the group has waited for all
        await producer.commit_transaction()  # 5
        faults.reached("after_commit")

    async def _send(self, tp: TopicPartition, records: Sequence[Sent], timestamp_ms: int) -> None:
        """Send the records of one topic partition, as few batches as they fit in, and wait for their delivery."""
        deliveries: list[asyncio.Future[object]] = []
        batch = self._producer.create_batch()
        for key, value, headers in records:
            if batch.append(key=key, value=value, timestamp=timestamp_ms, headers=headers) is None:
                deliveries.append(await self._deliver(tp, batch))
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=timestamp_ms, headers=headers)
        deliveries.append(await self._deliver(tp, batch))
        await asyncio.gather(*deliveries)
        faults.reached("after_sends")

    async def _deliver(self, tp: TopicPartition, batch: object) -> asyncio.Future[object]:
        """Send a batch; the future says whether it was delivered.

        When the transaction fails elsewhere, nobody waits for it any more, and asyncio would tell of its own failure as
        of one that nobody looked at.
        """
        delivery: asyncio.Future[object] = await self._producer.send_batch(batch, tp.topic, partition=tp.partition)
        delivery.add_done_callback(_looked_at)
        return delivery

    async def _send_offsets(self, outcome: Outcome) -> None:
        await self._producer.send_offsets_to_transaction(outcome.offsets, self._group)
        faults.reached("after_offsets")

    async def stop(self) -> None:
        """Close the connections. A transaction that is open stays so until the successor, or the broker, aborts it."""
        await self._producer.stop()


def _looked_at(delivery: asyncio.Future[object]) -> None:
    if not delivery.cancelled():
        delivery.exception()
