"""The drills, one for each runbook: how what it is about comes to be, and how it is mended."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import orjson
from aiokafka.admin import NewTopic

from streams.kafka_clients import administration
from streams.partitioner import partition_of
from streams.simulate import SimulationOptions, simulate
from streams.simulate.publisher import publisher
from streams.topics import declared
from tests.drill.stage import AGENTS, PARTITIONS, SHOP, Stage, go_on, make_topics, now_ms, stop
from tests.drill.troubles import (
    agents_going_before_open_transactions,
    coming_and_going,
    done,
    every_second_is_no_json,
    every_third_is_an_hour_off,
    pausing,
)
from tests.integration.running import Worker
from tests.integration.traffic import status
from tests.kafka.cluster import KafkaCluster


class Scene(NamedTuple):
    """A drill: the runbook's name, the alert with the severity that is provoked, and what happens."""

    page: str
    alert: str
    severity: str
    play: Callable[[Stage, KafkaCluster], Awaitable[None]]
    brokers: int = 1


async def _open(stage: Stage, shop: Mapping[str, object] = MappingProxyType({}), **environment: str) -> Worker:
    """Topics, a shop with these settings, and a worker that routes it."""
    await make_topics(stage.settings)
    await stage.open_shop(**shop)
    worker = stage.worker(0, environment)
    await stage.routing()
    return worker


async def _ended_or_back(stage: Stage, worker: Worker) -> None:
    """A worker that was frozen has ended, or routes its part again."""
    back = f'count(fenliu_input_lag_seconds{{instance="{stage.address()}"}}) == {PARTITIONS - 1}'
    await stage.until(
        lambda: worker.process.poll() is not None or bool(stage.prometheus.samples(back)), "it has noticed"
    )


async def _see(stage: Stage) -> None:
    await stage.condition()
    await stage.fires()


async def partitions_without_worker(stage: Stage, _: KafkaCluster) -> None:
    """The only worker is killed; the runbook starts another."""
    worker = await _open(stage)
    async with stage.traffic():
        worker.kill()
        await _see(stage)
        await stage.follow()
        await stage.ends()


async def no_progress(stage: Stage, cluster: KafkaCluster) -> None:
    """The broker that leads one of the inputs is gone: the other three wait for it."""
    alone, others = cluster.brokers[1], [broker for broker in cluster.brokers if broker is not cluster.brokers[1]]
    async with administration(stage.settings.kafka_client_kwargs()) as admin:
        topics = [
            NewTopic(
                topic.name, -1, -1,
                replica_assignments={
                    number: [(alone if topic.name.endswith("agent-status") else others[number % 2]).id]
                    for number in range(PARTITIONS)
                },
                topic_configs=dict(topic.configs),
            )
            for topic in declared(stage.settings)
        ]  # fmt: skip
        answer = await admin.create_topics(topics)
        assert {each[1] for each in answer.topic_errors} == {0}, answer
    worker = await _open(stage)
    async with stage.traffic():
        await asyncio.to_thread(alone.kill)
        await _see(stage)
        await stage.follow()
        assert await asyncio.to_thread(worker.wait) == 0, worker.log()  # the runbook has it stopped
        worker.start()
        await asyncio.to_thread(alone.start)
        await stage.ends()


async def restore_stuck(stage: Stage, _: KafkaCluster) -> None:
    """The brokers are slow (a quota on fetches), and a worker takes over what many buyers have left behind."""
    worker = await _open(stage)
    options = SimulationOptions(shops=2, buyers=20_000, rate=20, hours=0.4, start_ms=now_ms() - 3_600_000)
    records = list(simulate(options))
    async with publisher(stage.settings) as to_topics:
        await to_topics.publish(records)
    stage.sent |= {
        str(orjson.loads(each.value)["event_id"]) for each in records if each.topic == "buyer-messages" and each.value
    }
    behind = "sum(fenliu_input_lag_records)"
    await stage.holds(f"{behind} == 0")
    worker.kill()
    quota = (
        f"kafka-configs.sh --bootstrap-server {stage.settings.kafka_bootstrap_servers} --alter --entity-type clients"
    )
    slow = f"{quota} --entity-default --add-config consumer_byte_rate=15000"
    normal = f"{quota} --entity-default --delete-config consumer_byte_rate"
    await done(stage, slow)
    try:
        worker.start()
        await _see(stage)
        await stage.follow()
    finally:
        await done(stage, normal)
    await stage.ends()


async def dead_letters(stage: Stage, _: KafkaCluster) -> None:
    """A producer is broken: every second record is no JSON, or in another partition than its shop's."""
    await _open(stage)
    elsewhere = (partition_of(SHOP.encode(), PARTITIONS) + 1) % PARTITIONS
    async with stage.traffic(spoil=every_second_is_no_json):
        await stage.publish(stage.messages(20), partition=elsewhere)
        await _see(stage)
        await stage.follow()
    async with stage.traffic():
        await stage.ends()


async def assignment_latency(stage: Stage, _: KafkaCluster) -> None:
    """The worker stands still for seconds, again and again."""
    worker = await _open(stage)
    async with stage.traffic(a_second=30):
        async with pausing(worker, still_s=3.0, running_s=1.0):
            await _see(stage)
        await stage.follow()
        await stage.ends()


async def lag_growing(stage: Stage, _: KafkaCluster) -> None:
    """The worker routes a record at a time, five a second, and twenty come."""
    worker = await _open(stage)
    worker.stop()
    stage.workers.clear()
    slow = stage.worker(0, {"FENLIU_MAX_BATCH_EVENTS": "1", "FENLIU_MIN_BATCH_INTERVAL_MS": "200"})
    async with stage.traffic():
        await _see(stage)
        await stage.follow()
        slow.stop()
        stage.worker(0)
        await stage.ends()


async def rebalance_storm(stage: Stage, _: KafkaCluster) -> None:
    """A second worker comes and goes."""
    await _open(stage)
    async with stage.traffic(a_second=5), coming_and_going(stage):
        await _see(stage)
        await stage.follow()
    await stage.ends()


async def worker_down(stage: Stage, _: KafkaCluster) -> None:
    """A worker is frozen: it does not answer."""
    worker = await _open(stage)
    async with stage.traffic():
        stop(worker)
        await _see(stage)
        await stage.follow(right=[28])
        worker.kill()
        worker.start()
        await stage.ends()


async def worker_restarts(stage: Stage, _: KafkaCluster) -> None:
    """Something kills the worker, and its supervisor starts it again."""
    worker = await _open(stage)
    async with stage.traffic(a_second=5):
        for times in range(1, 4):
            worker.kill()
            worker.start()
            await stage.holds(f"changes(process_start_time_seconds[60s]) >= {times}")
        await _see(stage)
        await stage.follow()
        await stage.ends()


async def fenced(stage: Stage, _: KafkaCluster) -> None:
    """A worker was frozen for longer than its session; another has taken its partitions when it wakes."""
    # A transaction for each record, so that one is under way when it is stopped, sooner or later.
    worker = await _open(stage, FENLIU_MIN_BATCH_INTERVAL_MS="0", FENLIU_MAX_BATCH_EVENTS="1")
    async with stage.traffic(a_second=150):
        stage.worker(1)
        taken = f'count(fenliu_input_lag_seconds{{instance="{stage.address(1)}"}}) == {PARTITIONS}'
        while worker.process.poll() is None:
            stop(worker)
            await stage.holds(taken)
            go_on(worker)
            await _ended_or_back(stage, worker)
        assert worker.wait() == 3, worker.log()
        worker.start()
        await _see(stage)
        await stage.follow()
        await stage.ends()


async def event_loop_lag(stage: Stage, _: KafkaCluster) -> None:
    """The worker gets a fifth of the time, as a container that is throttled does."""
    worker = await _open(stage)
    async with stage.traffic(a_second=5):
        async with pausing(worker, still_s=0.8, running_s=0.2):
            await _see(stage)
        await stage.follow()
        await stage.ends()


async def timers_late(stage: Stage, _: KafkaCluster) -> None:
    """A producer's transactions stay open for long, and agents go whom nobody finds meanwhile."""
    await _open(stage, {"detection_lag_s": {"min": 1, "max": 1}})
    async with agents_going_before_open_transactions(stage, open_s=9.0):
        await _see(stage)
        await stage.follow()
    await stage.publish(stage.messages(20))
    await stage.ends()


async def clock_skew(stage: Stage, _: KafkaCluster) -> None:
    """A producer's clock is an hour ahead."""
    await _open(stage)
    async with stage.traffic(spoil=every_third_is_an_hour_off(+3_600_000)):
        await _see(stage)
        await stage.follow()
    async with stage.traffic():
        await stage.ends()


async def late_events(stage: Stage, _: KafkaCluster) -> None:
    """A producer's clock is an hour behind."""
    await _open(stage)
    async with stage.traffic(spoil=every_third_is_an_hour_off(-3_600_000)):
        await _see(stage)
        await stage.follow()
    async with stage.traffic():
        await stage.ends()


async def unattended_shop(stage: Stage, _: KafkaCluster) -> None:
    """All agents of the shop go, and buyers write."""
    await _open(stage, {"detection_lag_s": {"min": 0, "max": 0}})
    await stage.publish([status(SHOP, agent, now_ms(), "offline") for agent in AGENTS])
    async with stage.traffic(a_second=5):
        await _see(stage)
        await stage.follow()
        await stage.publish([status(SHOP, AGENTS[0], now_ms())])
        await stage.ends()


async def stranded_buyers(stage: Stage, _: KafkaCluster) -> None:
    """The connections of a shop's agents are lost, and it takes seconds until that is noticed."""
    await _open(stage, {"detection_lag_s": {"min": 8, "max": 8}, "rescue": "stranded"})
    history = "job:fenliu_stranded_buyers:increase30m offset 62s"
    await stage.holds(history)
    stage.say("there is some history")
    await stage.publish([status(SHOP, AGENTS[0], now_ms(), "offline")])
    await stage.publish(stage.messages(60))
    await _see(stage)
    await stage.follow()
    await stage.ends()


SCENES = (
    Scene("partitions-without-worker", "FenliuPartitionsWithoutWorker", "critical", partitions_without_worker),
    Scene("no-progress", "FenliuNoProgress", "critical", no_progress, brokers=3),
    Scene("restore-stuck", "FenliuRestoreStuck", "critical", restore_stuck),
    Scene("dead-letters", "FenliuDeadLetters", "critical", dead_letters),
    Scene("assignment-latency", "FenliuAssignmentLatency", "critical", assignment_latency),
    Scene("lag-growing", "FenliuLagGrowing", "warning", lag_growing),
    Scene("rebalance-storm", "FenliuRebalanceStorm", "warning", rebalance_storm),
    Scene("worker-down", "FenliuWorkerDown", "warning", worker_down),
    Scene("worker-restarts", "FenliuWorkerRestarts", "warning", worker_restarts),
    Scene("fenced", "FenliuFenced", "warning", fenced),
    Scene("event-loop-lag", "FenliuEventLoopLag", "warning", event_loop_lag),
    Scene("timers-late", "FenliuTimersLate", "warning", timers_late),
    Scene("clock-skew", "FenliuClockSkew", "warning", clock_skew),
    Scene("late-events", "FenliuLateEvents", "warning", late_events),
    Scene("unattended-shop", "FenliuUnattendedShop", "warning", unattended_shop),
    Scene("stranded-buyers", "FenliuStrandedBuyers", "warning", stranded_buyers),
)
