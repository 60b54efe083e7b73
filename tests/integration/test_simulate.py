"""`fenliu simulate --kafka`: the same traffic as in a file, on the right partitions, and never ahead of the clock."""

import subprocess
import sys
import time
from collections import Counter, defaultdict

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.partitioner import murmur2

from schemas.codec import RANK, InvalidEvent, decode
from streams.settings import Settings

pytestmark = pytest.mark.broker

SMALL = ["--shops", "10", "--rate", "2", "--hours", "1", "--replies", "sticky"]
START = ["--start", "2025-11-11T09:30:00+08:00"]


def _simulate(*args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "streams", "simulate", *args], check=False, capture_output=True, timeout=120
    )


async def _consumed(settings: Settings) -> list[ConsumerRecord]:
    """Every record of the four inputs."""
    consumer = AIOKafkaConsumer(
        *(settings.topic(topic) for topic in RANK),
        **settings.kafka_client_kwargs(),
        auto_offset_reset="earliest",
        group_id=None,
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        records: list[ConsumerRecord] = []
        while len(records) < sum(ends.values()):
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                records += batch
        return records
    finally:
        await consumer.stop()


async def test_kafka_gets_what_a_file_gets_in_the_same_order(cluster_settings: Settings) -> None:
    sent = _simulate(*SMALL, *START, "--kafka")
    assert sent.returncode == 0, sent.stderr.decode()
    lines: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
    for line in _simulate(*SMALL, *START, "--out", "-").stdout.splitlines():
        event = orjson.loads(line)
        lines[event["type"], event["shop_id"]].append(line)
    received: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
    for record in await _consumed(cluster_settings):
        event = orjson.loads(record.value)
        received[event["type"], event["shop_id"]].append(record.value)
    assert received == lines


async def test_records_are_keyed_by_shop_and_partitioned_as_kafka_does(cluster_settings: Settings) -> None:
    assert _simulate(*SMALL, "--kafka").returncode == 0
    records = await _consumed(cluster_settings)
    now_ms = time.time_ns() // 1_000_000
    for record in records:
        event = orjson.loads(record.value)
        assert record.key == event["shop_id"].encode()
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % 4
        assert event["occurred_at_ms"] <= record.timestamp <= now_ms
    # Without a start it ends now.
    assert max(orjson.loads(record.value)["occurred_at_ms"] for record in records) > now_ms - 120_000


async def test_bad_records_of_every_kind_arrive(cluster_settings: Settings) -> None:
    assert _simulate(*SMALL, "--bad-share", "0.01", "--kafka").returncode == 0
    codes: Counter[str] = Counter()
    for record in await _consumed(cluster_settings):
        topic = next(topic for topic in RANK if cluster_settings.topic(topic) == record.topic)
        if (murmur2(record.key) & 0x7FFFFFFF) % 4 != record.partition:
            codes["wrong_partition"] += 1
            continue
        try:
            event = decode(topic, record.value, key=record.key, timestamp_ms=record.timestamp)
        except InvalidEvent as exc:
            codes[exc.code] += 1
        else:
            codes["clock_skew"] += event.occurred_at_ms > record.timestamp + 60_000
    assert min(codes.values()) > 3
    assert codes.keys() == {
        "not_json", "not_utf8", "too_large", "too_deep", "schema", "config", "key_mismatch", "wrong_partition",
        "clock_skew",
    }  # fmt: skip


async def test_paced_traffic_follows_the_clock(cluster_settings: Settings) -> None:
    began_s = time.monotonic()
    assert _simulate("--shops", "2", "--rate", "20", "--hours", "0.02", "--speed", "20", "--kafka").returncode == 0
    assert time.monotonic() - began_s > 3.0  # 72 s of events, 20 times as fast
    stamps = [record.timestamp for record in await _consumed(cluster_settings)]
    assert max(stamps) - min(stamps) > 2500


def test_missing_topics_are_named_with_exit_code_78(environment: dict[str, str]) -> None:
    done = _simulate(*SMALL, "--kafka")
    assert done.returncode == 78
    assert f"{environment['FENLIU_TOPIC_PREFIX']}shop-configs" in done.stderr.decode()
    assert "fenliu topics create" in done.stderr.decode()


def test_no_broker_is_exit_code_75(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment
    monkeypatch.setenv("FENLIU_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    done = _simulate(*SMALL, "--kafka")
    assert done.returncode == 75
    assert "127.0.0.1:1" in done.stderr.decode()
