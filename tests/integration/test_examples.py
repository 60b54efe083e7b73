"""The examples of the README do what they say: real scripts, a real worker, a real broker."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

pytestmark = pytest.mark.broker


@contextmanager
def running(log: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process that ends with the block, by SIGTERM; what it says on standard error is in `log`."""
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, *arguments], env=dict(os.environ), stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def read_line(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"it ended instead of saying something: {log.read_text()}"
    return line.rstrip("\n")


@pytest.mark.timeout(120)
def test_a_message_of_the_producer_is_read_by_the_consumer_once(cluster_settings: Settings, tmp_path: Path) -> None:
    # Before the worker starts: a backlog has one order (O2), so the agent is there when the buyer writes.
    subprocess.run([sys.executable, EXAMPLES / "producer.py"], check=True, timeout=30)

    with (
        running(tmp_path / "worker.log", "-m", "streams", "worker") as worker,
        running(tmp_path / "consumer.log", str(EXAMPLES / "consumer.py")) as consumer,
    ):
        assert read_line(consumer, tmp_path / "consumer.log") == "buyer-1 -> 小丽 group_share"

        assert replayed_from_an_export(tmp_path) == asyncio.run(assignments(cluster_settings))

        asyncio.run(send_again(cluster_settings))
        # Of what was sent again it says nothing; the next thing it says is of another assignment.
        assert read_line(consumer, tmp_path / "consumer.log") == "buyer-2 -> 小丽 recent_contact"
        assert worker.poll() is None


def replayed_from_an_export(directory: Path) -> list[bytes]:
    """What `fenliu replay` decides of the events that docs/examples/export.py took from Kafka."""
    events = directory / "events.jsonl"
    with events.open("wb") as out:
        subprocess.run([sys.executable, EXAMPLES / "export.py", "shop-1"], stdout=out, check=True, timeout=30)
    replay = [sys.executable, "-m", "streams", "replay", str(events)]
    return subprocess.run(replay, capture_output=True, check=True, timeout=30).stdout.splitlines()


async def assignments(settings: Settings) -> list[bytes]:
    """The one assignment that is there."""
    topic, kwargs = settings.topic("assignments"), settings.kafka_client_kwargs()
    async with AIOKafkaConsumer(
        topic, isolation_level="read_committed", auto_offset_reset="earliest", **kwargs
    ) as reader:
        return [(await reader.getone()).value]


async def send_again(settings: Settings) -> None:
    """Put the assignment there once more, as a careless mirror of the topic would, and then another one behind it."""
    kwargs = settings.kafka_client_kwargs()
    topic = settings.topic("assignments")
    async with AIOKafkaConsumer(
        topic, isolation_level="read_committed", auto_offset_reset="earliest", **kwargs
    ) as reader:
        record = await reader.getone()
    assert record.value is not None
    other = record.value.replace(b'"assignment_id":"', b'"assignment_id":"x').replace(b"buyer-1", b"buyer-2")
    other = other.replace(b"group_share", b"recent_contact")
    async with AIOKafkaProducer(**kwargs) as producer:
        for value in (record.value, other):
            await producer.send_and_wait(topic, value, key=record.key, partition=record.partition)
