"""Ask a running test cluster, by real requests of aiokafka, whether it is as far as a test needs it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.kafka_clients import topics_as_each_broker_knows
from tests.kafka.errors import KafkaTestError

_REQUEST_WITHIN_MS = 2000
_POLL_S = 0.1

_Question = Callable[[AIOKafkaAdminClient], Awaitable[str]]
"""Answered by what is missing, in words; the empty string: nothing."""


def wait_until_answering(address: str, *, nodes: int, within_s: float, check: Callable[[], None]) -> None:
    """Block until the broker at `address` answers a metadata request and knows at least `nodes` live brokers.

    Args:
        address: of this one broker; no other is asked.
        nodes: itself and, for a whole cluster, the others.
        within_s: the deadline, in seconds.
        check: called between attempts; raises if waiting any longer is useless.

    Raises:
        KafkaTestError: if it does not in time.
    """

    async def enough(admin: AIOKafkaAdminClient) -> str:
        # The first answer is this broker's; later requests would go to any that it named.
        found = len(admin._client.cluster.brokers())
        return "" if found >= nodes else f"it knows {found} of {nodes} live brokers"

    _wait(address, enough, within_s, check)


def wait_until_in_sync(address: str, *, within_s: float, check: Callable[[], None]) -> None:
    """Block until every broker knows for every partition of every topic a leader, and all its copies in sync.

    Raises:
        KafkaTestError: if that is not so in time; it names a partition.
    """

    async def in_sync(admin: AIOKafkaAdminClient) -> str:
        everyones = await topics_as_each_broker_knows(admin)
        for topic in (topic for topics in everyones for topic in topics.values()):
            for partition in topic["partitions"]:
                if partition["leader"] < 0 or set(partition["isr"]) != set(partition["replicas"]):
                    copies = f"leader {partition['leader']}, in sync {partition['isr']} of {partition['replicas']}"
                    return f"{topic['topic']}-{partition['partition']} has {copies}"
        return ""

    _wait(address, in_sync, within_s, check)


def _wait(address: str, question: _Question, within_s: float, check: Callable[[], None]) -> None:
    """Ask until the answer is the empty string, or say the last one."""
    deadline = time.monotonic() + within_s
    with _quiet_clients():
        while True:
            check()
            missing = asyncio.run(_ask(address, question))
            if not missing:
                return
            if time.monotonic() > deadline:
                raise KafkaTestError(f"{missing}, after {within_s:.0f} s", where=f"Kafka at {address}")
            time.sleep(_POLL_S)


async def _ask(address: str, question: _Question) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=_REQUEST_WITHIN_MS)
    try:
        async with asyncio.timeout(2 * _REQUEST_WITHIN_MS / 1000):
            await admin.start()
            return await question(admin)
    except (KafkaError, TimeoutError, OSError) as exc:
        return f"it does not answer ({type(exc).__name__})"
    finally:
        await admin.close()


@contextmanager
def _quiet_clients() -> Iterator[None]:
    """Silence aiokafka: it logs each refused attempt, and while a broker starts there are many."""
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
