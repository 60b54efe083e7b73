"""What a transaction leaves behind when it fails."""

import asyncio
import gc
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError, OutOfOrderSequenceNumber

from streams.lane.transaction import Writer
from streams.settings import Settings


class _Batch:
    """Takes one record."""

    def __init__(self) -> None:
        self._full = False

    def append(self, **_record: object) -> object:
        if self._full:
            return None
        self._full = True
        return self


class FailingProducer:
    """Accepts a batch whose delivery fails, and refuses the next: what brokers that go away do to aiokafka."""

    def __init__(self) -> None:
        self._accepted: list[asyncio.Future[object]] = []

    def create_batch(self) -> _Batch:
        return _Batch()

    async def send_batch(self, _batch: object, _topic: str, *, partition: int) -> asyncio.Future[object]:  # noqa: ARG002
        if self._accepted:
            self._accepted.pop().set_exception(OutOfOrderSequenceNumber())
            raise KafkaTimeoutError
        self._accepted.append(asyncio.get_running_loop().create_future())
        return self._accepted[0]


async def test_a_delivery_that_fails_after_the_transaction_did_is_no_news() -> None:
    loud: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: loud.append(context))
    writer = Writer(Settings.load(), 0)
    await writer.stop()
    writer._producer = FailingProducer()
    with pytest.raises(KafkaTimeoutError):
        await writer._send(TopicPartition("t", 0), [(b"k", b"v", []), (b"k", b"v", [])], 0)
    await asyncio.sleep(0)
    gc.collect()
    assert loud == []
