"""Reads the three outputs from their beginning, committed records only, as any consumer of fenliu would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer

from schemas.codec import decode_decision
from schemas.decisions import AgentPresence, Assignment
from streams.kafka_clients import started
from streams.redrive.letters import REDRIVEN
from streams.settings import Settings

_POLL_MS = 100


class RefusedRecord(NamedTuple):
    """A dead letter, as its headers tell it."""

    code: str
    detail: str
    topic: str
    at_ms: int
    key: str


Seen = Assignment | AgentPresence | RefusedRecord


class Reader:
    """A consumer of the outputs; `reader()` makes one."""

    def __init__(self, consumer: AIOKafkaConsumer, dead_letters: str) -> None:
        self._consumer = consumer
        self._dead_letters = dead_letters

    async def read(self) -> list[Seen]:
        """What came since the last call; after a tenth of a second at the latest, perhaps nothing."""
        fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=5000)
        seen: list[Seen] = []
        for partition, records in fetched.items():
            if partition.topic == self._dead_letters:
                seen.extend(
                    _refused(headers, record.key, record.timestamp)
                    for record in records
                    if REDRIVEN not in (headers := dict(record.headers))  # that one is about letters, and is none
                )
            else:
                seen.extend(decode_decision(record.value) for record in records)
        return seen


@asynccontextmanager
async def reader(settings: Settings) -> AsyncIterator[Reader]:
    """A reader from the beginning of all outputs, connected.

    Raises:
        BrokerUnreachableError: when no broker answers.
    """
    kafka = settings.kafka_client_kwargs()
    names = [settings.topic(name) for name in ("assignments", "agent-presence", "dead-letters")]
    consumer = AIOKafkaConsumer(
        *names,
        **kafka,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        group_id=None,  # every partition, and nothing is remembered
        fetch_max_wait_ms=50,
    )
    async with started(consumer, kafka):
        yield Reader(consumer, names[-1])


def _refused(headers: dict[str, bytes], key: bytes | None, at_ms: int) -> RefusedRecord:
    def header(name: str) -> str:
        return headers.get(name, b"").decode("utf-8", "replace")

    return RefusedRecord(
        header("fenliu.error"),
        header("fenliu.error.detail"),
        header("fenliu.topic"),
        at_ms,
        (key or b"").decode("utf-8", "replace"),
    )
