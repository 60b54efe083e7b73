"""Brokers that die, stand still, are all gone, or are not there yet. Three brokers; topics have three copies."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streams.errors import ExitCode
from tests.faults.faulty_worker import Misfortune
from tests.faults.operator import alter
from tests.faults.run import Run, start_run
from tests.faults.selection import long_run
from tests.faults.traffic import future_traffic
from tests.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka

WITHIN_S = 200.0


@pytest.fixture
async def run(in_sync: KafkaCluster, tmp_path: Path) -> AsyncIterator[Run]:
    """Topics with three copies."""
    async with start_run(
        in_sync.bootstrap_servers,
        tmp_path,
        replication=3,
        FENLIU_MAX_BATCH_EVENTS="50",
        FENLIU_MIN_BATCH_INTERVAL_MS="50",
    ) as started:
        yield started


@pytest.mark.parametrize("bounces", [1, pytest.param(5, marks=long_run)])
@pytest.mark.parametrize("how", ["hard", pytest.param("clean", marks=long_run)])
async def test_brokers_bounce(run: Run, in_sync: KafkaCluster, how: str, bounces: int) -> None:
    """Kafka, streams_broker_bounce_test: bounces of leaders, coordinators and the controller, under load.

    Catches: acknowledged records that only one broker had, transactions cut in two by a change of their coordinator.
    """
    await run.backlog(future_traffic(8000 * bounces, seed=51))
    # Workers route on while a broker is away, and there must be something left to the end.
    for worker in run.workers(2, FENLIU_MIN_BATCH_INTERVAL_MS="300" if bounces > 1 else "100"):
        worker.start()
    run.commits.may_go_back = True
    for number in range(bounces):
        await run.commits.grown_by(2000, within_s=WITHIN_S)
        broker = in_sync.brokers[number % len(in_sync.brokers)]
        await asyncio.to_thread(broker.kill if how == "hard" else broker.stop)
        await asyncio.sleep(3)
        await asyncio.to_thread(broker.start)
        await asyncio.to_thread(in_sync.wait_until_in_sync)
    await run.verdict(within_s=WITHIN_S)


@long_run
async def test_a_broker_stands_still(run: Run, in_sync: KafkaCluster) -> None:
    """Redpanda's nemesis `pause`: the connections stay, nothing is answered, then everything at once.

    Catches: a fetch of old answers after a leader has changed; a wait without a timeout.
    """
    await run.backlog(future_traffic(20_000, seed=52))
    for worker in run.workers(2):
        worker.start()
    for broker in in_sync.brokers[:2]:
        await run.commits.grown_by(2000, within_s=WITHIN_S)
        broker.suspend()
        await asyncio.sleep(15)
        broker.resume()
        await asyncio.to_thread(in_sync.wait_until_in_sync)
    await run.verdict(within_s=WITHIN_S)


@long_run
async def test_too_few_copies_in_sync(run: Run, in_sync: KafkaCluster) -> None:
    """Kafka Streams, AtLeastOnceDeliveryMessageLossIntegrationTest, with min.insync.replicas: a refused changelog.

    One changelog wants three copies, and a broker is down. Catches: offsets that are committed without their state.
    """
    await run.backlog(future_traffic(6000, seed=56))
    worker = run.worker("worker")
    worker.lasting = Misfortune(transaction_timeout_s=5)
    worker.start()
    await run.commits.grown_by(2000, within_s=WITHIN_S)
    changelog = run.settings.changelog("last_contacts")
    await alter(run.settings, changelog, replication=3, min_insync_replicas="3")
    await asyncio.to_thread(in_sync.brokers[-1].stop)
    await run.commits.until(lambda: bool(worker.exits), within_s=WITHIN_S, what=worker.log_tail)
    assert worker.exits[0].code == ExitCode.BROKER
    assert "as their min.insync.replicas" in worker.log()
    await asyncio.to_thread(in_sync.brokers[-1].start)
    await asyncio.to_thread(in_sync.wait_until_in_sync)
    await run.verdict(within_s=WITHIN_S)


async def all_down(cluster: KafkaCluster, down_s: float) -> None:
    """Kill every broker, and start them after a while."""
    for broker in cluster.brokers:
        await asyncio.to_thread(broker.kill)
    await asyncio.sleep(down_s)
    for broker in cluster.brokers:
        broker.start(wait=False)
    await asyncio.to_thread(cluster.wait_until_ready)
    await asyncio.to_thread(cluster.wait_until_in_sync)


async def test_all_brokers_are_down_for_longer_than_a_transaction_may_take(run: Run, in_sync: KafkaCluster) -> None:
    """Kafka, streams_broker_down_resilience_test; the transaction timeout is five seconds here instead of sixty.

    Workers end with 75 and their supervisor starts them until the brokers are back. Catches: a worker that hangs, or
    goes on with a transaction that the broker has aborted meanwhile.
    """
    await run.backlog(future_traffic(8000, seed=53))
    for worker in run.workers(2):
        worker.lasting = Misfortune(transaction_timeout_s=5)
        worker.start()
    await run.commits.grown_by(2000, within_s=WITHIN_S)
    run.commits.may_go_back = True
    await all_down(in_sync, 15)
    await run.verdict(within_s=WITHIN_S)
    assert run.supervisor.exits()[ExitCode.BROKER] >= 1


@long_run
async def test_all_brokers_are_down_for_seventy_seconds(run: Run, in_sync: KafkaCluster) -> None:
    """The same as Kafka's own test has it, with the timeouts of production."""
    await run.backlog(future_traffic(16_000, seed=54))
    for worker in run.workers(2):
        worker.start()
    await run.commits.grown_by(3000, within_s=WITHIN_S)
    run.commits.may_go_back = True
    await all_down(in_sync, 70)
    await run.verdict(within_s=WITHIN_S)


@long_run
async def test_workers_that_start_while_no_broker_is_there(run: Run, in_sync: KafkaCluster) -> None:
    """Kafka, streams_broker_down_resilience_test.test_streams_runs_with_broker_down_initially.

    Catches: a worker that waits for ever, or takes an empty answer for an empty cluster.
    """
    await run.backlog(future_traffic(4000, seed=55))
    run.commits.may_go_back = True
    for broker in in_sync.brokers:
        broker.kill()
    worker = run.worker("worker")
    worker.start()
    assert await worker.ended() == ExitCode.BROKER
    for broker in in_sync.brokers:
        broker.start(wait=False)
    await asyncio.to_thread(in_sync.wait_until_ready)
    await asyncio.to_thread(in_sync.wait_until_in_sync)
    await run.verdict(within_s=WITHIN_S)
