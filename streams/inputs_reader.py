"""Looks at the inputs beside the workers: where they begin and end, what lies behind, and what holds it up."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import RANK
from streams.input_findings import Standing
from streams.kafka_clients import administration, started
from streams.settings import Settings
from streams.topic_findings import Problem

STUCK_AFTER_S = 2.0
"""A transaction that was open so long ago already is not one that comes and goes."""

_POLL_MS = 200
_LOOKS = 25


class InputsReader:
    """Two consumers outside the group: one sees what is committed, the other whatever is there."""

    def __init__(
        self,
        settings: Settings,
        partitions: Sequence[TopicPartition],
        *,
        without_leader: Sequence[TopicPartition],
        committed: AIOKafkaConsumer,
        everything: AIOKafkaConsumer,
    ) -> None:
        self._compacted = settings.topic("shop-configs")
        self._partitions = list(partitions)
        self._without_leader = list(without_leader)
        self._committed = committed
        self._everything = everything

    def leaderless(self) -> list[Problem]:
        """The partitions that nobody can tell about."""
        if not self._without_leader:
            return []
        named = ", ".join(f"{tp.topic}/{tp.partition}" for tp in self._without_leader)
        return [
            Problem(
                f"{named}: there is no leader, so nobody can tell what waits there; the partition's other inputs wait",
                "see which brokers are down",
            )
        ]

    async def standings(self, offsets: Mapping[TopicPartition, int]) -> list[Standing]:
        """Where a group stands that has committed these offsets."""
        begins = await self._everything.beginning_offsets(self._partitions)
        stable = await self._committed.end_offsets(self._partitions)
        ends = await self._everything.end_offsets(self._partitions)
        return [
            Standing(
                tp=tp,
                committed=offsets.get(tp),
                begin=begins[tp],
                stable_end=stable[tp],
                end=ends[tp],
                compacted=tp.topic == self._compacted,
            )
            for tp in self._partitions
        ]

    async def wait(self, standings: Sequence[Standing]) -> bool:
        """Whether a record waits to be routed; markers of transactions, and what was aborted, do not."""
        behind = {each.tp: each for each in standings if each.behind}
        if any(each.stable_end < each.end for each in behind.values()):
            return True
        if not behind:
            return False
        self._committed.assign(list(behind))
        for each in behind.values():
            self._committed.seek(each.tp, each.read_on)
        for _ in range(_LOOKS):
            if await self._committed.getmany(timeout_ms=_POLL_MS, max_records=1):
                return True
            if all([await self._committed.position(tp) >= each.stable_end for tp, each in behind.items()]):
                return False
        return True

    async def stuck(self, standings: Sequence[Standing]) -> list[Standing]:
        """Those that an open transaction holds up now and did STUCK_AFTER_S ago."""
        before = {each.tp: each.stable_end for each in standings if each.stable_end < each.end}
        if not before:
            return []
        await asyncio.sleep(STUCK_AFTER_S)
        now = await self.standings({each.tp: each.committed for each in standings if each.committed is not None})
        return [each for each in now if each.stable_end < each.end and before.get(each.tp) == each.stable_end]


@asynccontextmanager
async def inputs_reader(settings: Settings) -> AsyncIterator[InputsReader]:
    """A connected one, for those inputs that exist and have leaders.

    Raises:
        BrokerUnreachableError: if no broker answers.
        ClusterError: if this user may not read them.
    """
    kafka = settings.kafka_client_kwargs()
    topics = {settings.topic(topic) for topic in RANK}
    async with administration(kafka) as admin:
        leaders = {
            TopicPartition(topic["topic"], part["partition"]): part["leader"]
            for topic in await admin.describe_topics()
            if topic["topic"] in topics
            for part in topic["partitions"]
        }
    async with AsyncExitStack() as connected:
        consumers = [
            await connected.enter_async_context(
                started(
                    AIOKafkaConsumer(
                        **kafka, enable_auto_commit=False, auto_offset_reset="earliest", isolation_level=level
                    ),
                    kafka,
                )
            )
            for level in ("read_committed", "read_uncommitted")
        ]
        committed, everything = consumers
        yield InputsReader(
            settings,
            sorted(tp for tp, leader in leaders.items() if leader >= 0),
            without_leader=sorted(tp for tp, leader in leaders.items() if leader < 0),
            committed=committed,
            everything=everything,
        )
