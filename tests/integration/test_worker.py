"""How a worker begins, what it refuses, what it does with bad records and with silence, and how it ends."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from streams import __version__
from streams.embedded import free_port
from streams.lane.worker import SAME_SIGNAL_S
from streams.partitioner import partition_of
from streams.settings import Settings
from tests.integration.conftest import PARTITIONS
from tests.integration.running import REPOSITORY, Worker, consume, produce, total, values
from tests.integration.traffic import Record, config, message, record, status
from tests.unit.lane.test_header_names import BadName

pytestmark = pytest.mark.broker

SHOP = "shop-1"
OF_SHOP = partition_of(SHOP.encode(), PARTITIONS)


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Worker:
    return Worker(environment, log=tmp_path / "worker.log")


def now_ms() -> int:
    return int(time.time() * 1000)


# What it refuses


async def test_without_its_topics_it_does_not_start(worker: Worker) -> None:
    with worker:
        assert worker.wait() == 78
    assert "fenliu topics create" in worker.log()


def test_without_a_broker_it_gives_up(environment: dict[str, str], tmp_path: Path) -> None:
    nobody = {"FENLIU_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    with Worker(environment | nobody, log=tmp_path / "worker.log") as worker:
        assert worker.wait() == 75
    assert "FENLIU_KAFKA_BOOTSTRAP_SERVERS" in worker.log()


def test_a_setting_that_cannot_be_used_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    with Worker(environment | {"FENLIU_HTTP_PORT": "many"}, log=tmp_path / "worker.log") as worker:
        assert worker.wait() == 2
    assert "FENLIU_HTTP_PORT" in worker.log()


async def test_offsets_that_somebody_moved_are_refused_with_both_values(
    cluster_settings: Settings, worker: Worker
) -> None:
    await route_one(cluster_settings, worker)
    await commit(cluster_settings, {"buyer-messages": 0, "agent-status": 0, "agent-replies": 0, "shop-configs": 0})
    with worker:
        assert worker.wait() == 78
    refusal = worker.log().splitlines()[-2:]
    assert "committed agent-replies 0, agent-status 0, buyer-messages 0, shop-configs 0" in refusal[0]
    assert "checkpoint record says agent-replies 0, agent-status 1, buyer-messages 1, shop-configs 0" in refusal[0]
    assert "FENLIU_APP_ID" in refusal[1]


async def test_offsets_without_a_checkpoint_are_refused(cluster_settings: Settings, worker: Worker) -> None:
    await commit(cluster_settings, {"buyer-messages": 0})
    with worker:
        assert worker.wait() == 78
    assert "no checkpoint record" in worker.log()


async def route_one(settings: Settings, worker: Worker) -> None:
    """A message is routed, and the worker has left again."""
    await produce(settings, [status(SHOP, "agent-1", now_ms()), message(SHOP, "m1", now_ms())])
    with worker:
        await consume(settings, ["assignments"], lambda seen: total(seen) == 1, worker=worker)
        assert worker.stop() == 0


async def commit(settings: Settings, offsets: dict[str, int]) -> None:
    """What `kafka-consumer-groups.sh --reset-offsets` does."""
    consumer = AIOKafkaConsumer(**settings.kafka_client_kwargs(), group_id=settings.app_id, enable_auto_commit=False)
    async with consumer:
        inputs = {TopicPartition(settings.topic(topic), OF_SHOP): offset for topic, offset in offsets.items()}
        consumer.assign(list(inputs))
        await consumer.commit(inputs)


# Bad records (section 9)


def bad_records() -> dict[str, Record]:
    """One for each code, by code."""
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    fine = orjson.loads(message(SHOP, "m1", now_ms()).value or b"")
    return {
        "not_json": Record("buyer-messages", SHOP.encode(), b'{"type": "buyer_mess'),
        "not_utf8": Record("buyer-messages", SHOP.encode(), b'{"type": "\xff"}'),
        "too_large": record("buyer-messages", fine | {"note": "x" * (300 << 10)}),
        "too_deep": record("buyer-messages", fine | {"note": deep}),
        "schema": Record("buyer-messages", SHOP.encode(), None),
        "key_mismatch": Record("buyer-messages", b"shop-1 ", orjson.dumps(fine)),
        "clock_skew": message(SHOP, "m-skew", now_ms() + 3_600_000),
        "config": config(SHOP, now_ms(), busy_threshold=0),
    }


async def test_every_kind_of_bad_record_becomes_a_dead_letter_that_says_why(
    cluster_settings: Settings, worker: Worker
) -> None:
    bad = bad_records()
    elsewhere = (OF_SHOP + 1) % PARTITIONS
    misplaced = message(SHOP, "m-misplaced", now_ms())
    good = [status(SHOP, "agent-1", now_ms()), message(SHOP, "m-good", now_ms())]
    await produce(cluster_settings, bad.values(), partition=OF_SHOP)
    await produce(cluster_settings, [misplaced], partition=elsewhere)
    await produce(cluster_settings, good)
    with worker:
        everything = await consume(
            cluster_settings,
            ["dead-letters", "assignments"],
            lambda seen: total(seen) >= len(bad) + 2,
            worker=worker,
        )
        assert worker.stop() == 0
    letters = {headers(each)["fenliu.error"]: each for of in everything["dead-letters"].values() for each in of}
    assert letters.keys() == {*bad, "wrong_partition"}
    for code, came in (bad | {"wrong_partition": misplaced}).items():
        assert (letters[code].key, letters[code].value) == (came.key, came.value), code
        told = headers(letters[code])
        assert told["fenliu.topic"] == cluster_settings.topic(came.topic)
        assert told["fenliu.partition"] == str(elsewhere if code == "wrong_partition" else OF_SHOP)
        assert int(told["fenliu.offset"]) >= 0
        assert abs(int(told["fenliu.timestamp"]) - now_ms()) < 600_000
        assert told["fenliu.error.detail"]
    assert "murmur2" in headers(letters["wrong_partition"])["fenliu.error.detail"]
    assert "busy_threshold" in headers(letters["config"])["fenliu.error.detail"]
    assert "x" * 100 not in worker.log()
    assert re.search(r"WARNING .*Records that cannot be used went to dead-letters: \d+ ", worker.log())
    (assigned,) = [orjson.loads(each.value) for of in everything["assignments"].values() for each in of]
    assert assigned["message_id"] == "m-good"


async def test_a_record_of_two_mebibytes_is_cut_and_nothing_stops(cluster_settings: Settings, worker: Worker) -> None:
    huge = Record("agent-replies", SHOP.encode(), b"x" * (2 << 20))
    await produce(cluster_settings, [huge, status(SHOP, "agent-1", now_ms()), message(SHOP, "m1", now_ms())])
    with worker:
        everything = await consume(
            cluster_settings, ["dead-letters", "assignments"], lambda seen: total(seen) == 2, worker=worker
        )
        assert worker.stop() == 0
    (letter,) = [each for of in everything["dead-letters"].values() for each in of]
    assert headers(letter)["fenliu.error"] == "too_large"
    assert letter.value == b"x" * (64 << 10)


def headers(letter: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in letter.headers}


# Silence


async def test_timers_fire_by_the_wall_clock_when_nothing_comes_any_more(
    cluster_settings: Settings, worker: Worker
) -> None:
    """O1, L6: the agent drops, nobody writes again, and yet it is found offline a second after its lag."""
    began = now_ms()
    lag = {"min": 2, "max": 2}
    await produce(cluster_settings, [config(SHOP, began, detection_lag_s=lag), status(SHOP, "agent-1", began + 1)])
    await produce(cluster_settings, [status(SHOP, "agent-1", began + 2, "offline")])
    with worker:
        seen = await consume(cluster_settings, ["agent-presence"], lambda seen: total(seen) == 3, worker=worker)
        assert worker.stop() == 0
    changes = [(each.timestamp, orjson.loads(each.value)) for each in seen["agent-presence"][OF_SHOP]]
    assert [change["presence"] for _, change in changes] == ["online", "undetected_offline", "offline"]
    published_ms, offline = changes[2]
    assert offline["at_ms"] == began + 2 + 2000
    assert published_ms >= offline["at_ms"] + 1000


# The ways to start and to end it


async def test_it_says_first_what_it_is_and_where(
    cluster_settings: Settings, environment: dict[str, str], worker: Worker
) -> None:
    await route_one(cluster_settings, worker)
    first, second = worker.log().splitlines()[:2]
    for told in (__version__, cluster_settings.kafka_bootstrap_servers, f":{environment['FENLIU_HTTP_PORT']}"):
        assert told in first
    assert f"with {PARTITIONS} partitions" in second


@pytest.mark.parametrize("told", ["batch_committed", "restored", "input_lag"])
async def test_an_error_of_whoever_watches_ends_it_and_is_said(
    cluster_settings: Settings, environment: dict[str, str], tmp_path: Path, told: str
) -> None:
    """A partition that stands still for ever, with nobody told, would be worse."""
    arguments = ("-m", "tests.integration.misled_worker", told)
    await produce(cluster_settings, [status(SHOP, "agent-1", now_ms())])
    with Worker(environment, *arguments, log=tmp_path / "worker.log") as worker:
        assert worker.wait() == 70
    assert f"{told} cannot be told" in worker.log()


async def test_faust_runs_the_same_worker(
    cluster_settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    arguments = ("-m", "faust", "-A", "streams.app", "worker")
    await produce(cluster_settings, [status(SHOP, "agent-1", now_ms()), message(SHOP, "m1", now_ms())])
    with Worker(environment, *arguments, log=tmp_path / "worker.log") as worker:
        await consume(cluster_settings, ["assignments"], lambda seen: total(seen) == 1, worker=worker)
        assert worker.stop() == 0


def test_faust_lists_the_agent_and_the_tables(environment: dict[str, str]) -> None:  # noqa: ARG001
    assert "route" in faust("agents")
    tables = faust("tables")
    assert "pending_replies" in tables
    assert "last_contacts" in tables


def faust(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "faust", "-A", "streams.app", command],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout


async def test_a_second_signal_ends_it_at_once(cluster_settings: Settings, worker: Worker) -> None:
    await produce(cluster_settings, [status(SHOP, "agent-1", now_ms()), message(SHOP, "m1", now_ms())])
    with worker:
        await consume(cluster_settings, ["assignments"], lambda seen: total(seen) == 1, worker=worker)
        worker.signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            worker.process.wait(2 * SAME_SIGNAL_S)  # Faust takes a second to end even if nothing is under way
        worker.signal(signal.SIGINT)
        assert worker.wait() == 128 + signal.SIGINT


async def test_a_header_name_that_is_no_utf_8_stops_nobody(cluster_settings: Settings, worker: Worker) -> None:
    await produce(cluster_settings, [config(SHOP, now_ms(), agents=[{"agent_id": "a"}]), status(SHOP, "a", now_ms())])
    odd = [message(SHOP, "m1", now_ms(), "b1"), Record("buyer-messages", SHOP.encode(), b"{")]
    async with AIOKafkaProducer(**cluster_settings.kafka_client_kwargs()) as producer:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 20)  # the one in C takes no such names
        for each in odd:
            batch.append(timestamp=now_ms(), key=each.key, value=each.value, headers=[(BadName(), b"v")])
        topic = cluster_settings.topic("buyer-messages")
        await (await producer.send_batch(batch, topic, partition=OF_SHOP))
    with worker:
        await produce(cluster_settings, [message(SHOP, "m2", now_ms(), "b2")])
        seen = await consume(
            cluster_settings, ["assignments", "dead-letters"], lambda seen: total(seen) == 3, worker=worker
        )
    assert [orjson.loads(each)["message_id"] for each in values(seen, "assignments")[OF_SHOP]] == ["m1", "m2"]
    (letter,) = seen["dead-letters"][OF_SHOP]
    assert dict(letter.headers)["x\\xff"] == b"v"
    assert dict(letter.headers)["fenliu.error"] == b"not_json"


async def test_no_signal_makes_it_stand_still(cluster_settings: Settings, worker: Worker) -> None:
    with worker:
        await produce(cluster_settings, [message(SHOP, "m1", now_ms())])
        await consume(cluster_settings, ["assignments"], lambda seen: total(seen) == 1, worker=worker)
        worker.signal(signal.SIGUSR2)
        await produce(cluster_settings, [message(SHOP, "m2", now_ms())])
        await consume(cluster_settings, ["assignments"], lambda seen: total(seen) == 2, worker=worker)
        assert worker.stop() == 0
    assert "SIGUSR2 does nothing here" in worker.log()
