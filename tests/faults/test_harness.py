"""The harness itself: its plans and waves, and whether its oracle sees what it is there for."""

import time

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from tests.faults.feeder import waves
from tests.faults.nemesis import plan
from tests.faults.reading import read_topics
from tests.faults.run import Run
from tests.faults.traffic import MAX_CLOCK_SKEW_S, future_traffic


def test_a_seed_gives_the_same_plan_and_another_seed_another() -> None:
    first = plan(1, kills=50, workers=2, brokers=3)
    assert first == plan(1, kills=50, workers=2, brokers=3)
    assert first != plan(2, kills=50, workers=2, brokers=3)
    assert sum("kill" in fault.kind and "broker" not in fault.kind for fault in first) == 50
    assert [fault.at for fault in first] == sorted(fault.at for fault in first)


def test_one_broker_is_left_alone() -> None:
    assert not [fault for fault in plan(1, kills=50, workers=2, brokers=1) if "broker" in fault.kind]


def test_traffic_lies_in_the_future_and_ends_with_a_marker_for_each_shop() -> None:
    now_ms = time.time() * 1000
    records = future_traffic(3000, seed=1, shops=5)
    assert len(records) == 3000
    assert now_ms < records[0].at_ms <= records[-1].at_ms < now_ms + MAX_CLOCK_SKEW_S * 1000
    markers = [orjson.loads(record.value or b"") for record in records[-5:]]
    assert len({marker["shop_id"] for marker in markers}) == 5
    assert {marker["occurred_at_ms"] for marker in markers} == {records[-1].at_ms}


@pytest.mark.parametrize("hours", range(0, 20, 4))
def test_traffic_is_of_one_kind_at_every_hour_of_the_day(hours: int) -> None:
    """Catches: runs that find the shops asleep, with too few records or nobody who answers."""
    records = future_traffic(3000, seed=1, shops=5, ahead_ms=(4 + hours) * 3_600_000)
    assert len(records) == 3000
    assert sum(record.topic == "agent-replies" for record in records) > 500


def test_a_wave_holds_one_topic_of_a_shop() -> None:
    records = future_traffic(3000, seed=1, shops=5)
    cut = list(waves(records))
    assert [record for wave in cut for record in wave] == records
    for wave in cut:
        good = [record for record in wave if not record.spoiled]
        assert len({(record.key, record.topic) for record in good}) == len({record.key for record in good})


@pytest.mark.kafka
async def test_without_faults_the_oracle_agrees_and_then_sees_each_thing_that_is_wrong(run: Run) -> None:
    """If this fails, the tests with faults say nothing.

    It once caught a worker that stood still before the last records: a topic that had been silent for three seconds was
    waited for (O2), and when it was heard of again nobody looked.
    """
    await run.backlog(future_traffic(6000, seed=1))
    run.worker("worker").start()
    verdict = await run.verdict()
    assert verdict.events == 6000
    assert verdict.assignments > 2000
    assert verdict.dead_letters > 10
    assert verdict.state_keys > 500

    settings = run.settings
    spoiled = [*map(settings.topic, ("assignments", "agent-presence", "dead-letters"))]
    spoiled += [settings.changelog(table) for table in ("last_contacts", "checkpoints")]
    logs = await read_topics(settings, spoiled)
    async with AIOKafkaProducer(**settings.kafka_client_kwargs()) as producer:
        for topic in spoiled:
            number, records = next((number, records) for number, records in logs[topic].items() if records)
            first = records[0]
            await producer.send_and_wait(
                topic, first.value, key=first.key, partition=number, headers=list(first.headers)
            )
    seen = "\n".join((await run.judged(strict=False)).differences)
    for what in ("assignments of", "agent-presence of", "dead-letters of", "have another value", "back to"):
        assert what in seen, seen
