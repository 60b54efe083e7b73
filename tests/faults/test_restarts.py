"""Workers that are asked to stop, come and go: rolling restarts, growing, shrinking, also during a restore."""

import signal
from pathlib import Path

import pytest

from streams.errors import ExitCode
from tests.faults.faulty_worker import Misfortune, Mishap
from tests.faults.run import Run, start_run
from tests.faults.selection import long_run
from tests.faults.traffic import future_traffic
from tests.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka

PACED_MS = "60"


async def test_growing_to_three_workers_then_a_rolling_restart(run: Run) -> None:
    """Kafka, streams_eos_test.run_rebalance: 1, 2, 3 workers, then each stops cleanly and comes back.

    Catches: decisions lost or repeated when a partition moves with a batch under way.
    """
    await run.backlog(future_traffic(14_000, seed=21))
    workers = run.workers(3, FENLIU_MIN_BATCH_INTERVAL_MS=PACED_MS)
    for worker in workers:
        worker.start()
        await run.commits.grown_by(1500)
    for worker in workers:
        worker.signal(signal.SIGTERM)
        assert await worker.ended(within_s=10) == ExitCode.DONE, worker.log_tail()
        await run.commits.grown_by(1500)
    await run.verdict()


async def test_a_clean_stop_during_a_restore(run: Run) -> None:
    """Kafka Streams, StoreChangelogReader: shouldCheckpointRestoredOffsetsWhenClosingCleanDuringRestoring.

    Catches: a half-restored partition that is routed or committed on the way out; a stop that waits for the restore.
    """
    await run.backlog(future_traffic(8000, seed=22))
    worker = run.worker("worker", static=True, FENLIU_MIN_BATCH_INTERVAL_MS=PACED_MS)
    worker.misfortunes = [Misfortune(), Misfortune(mishaps=(Mishap(point="during_restore", nth=3, do="terminate"),))]
    worker.start()
    await run.commits.grown_by(4000)
    worker.signal(signal.SIGKILL)
    await run.verdict()
    assert [end.code for end in worker.exits] == [-signal.SIGKILL, ExitCode.DONE, ExitCode.DONE]


async def test_a_clean_stop_while_the_group_waits_for_a_worker_that_was_killed(run: Run) -> None:
    """A join lasts until the dead member's session ends, longer than a worker may take to stop.

    Catches: a worker that is ended hard, and stays in the group, because it waits for the join that it is in.
    """
    await run.backlog(future_traffic(8000, seed=27))
    staying, killed, coming = run.workers(3, FENLIU_SESSION_TIMEOUT_S="15", FENLIU_MIN_BATCH_INTERVAL_MS="100")
    for worker in (staying, killed):
        worker.start()
        await run.commits.until(lambda: "taken over" in worker.log(), within_s=60, what=worker.log_tail)  # noqa: B023
        await run.commits.grown_by(500)
    killed.wanted = False
    killed.signal(signal.SIGKILL)
    again = "it is rebalancing"
    rebalances = staying.log().count(again)
    coming.start()
    await run.commits.until(lambda: staying.log().count(again) > rebalances, within_s=60, what=staying.log_tail)
    assert await staying.stop() == ExitCode.DONE, staying.log_tail()
    await run.verdict()


@long_run
async def test_a_second_rebalance_during_a_restore(run: Run) -> None:
    """faust-streaming, pull request 542 of robinhood/faust: a rebalance in the middle of a recovery.

    Restores are slow here, so the next worker joins, and another leaves, while they run. Catches: a partition that is
    restored twice into one router, or routed by an assignment that is out of date.
    """
    await run.backlog(future_traffic(20_000, seed=23))
    workers = run.workers(3, FENLIU_MIN_BATCH_INTERVAL_MS=PACED_MS)
    slow = Misfortune(mishaps=(Mishap(point="during_restore", do="wait", wait_s=0.2),))
    for worker in workers:
        worker.lasting = slow
    first, second, third = workers
    first.start()
    await run.commits.grown_by(4000)
    second.start()
    third.start()
    await run.commits.grown_by(3000)
    first.signal(signal.SIGKILL)
    await run.commits.grown_by(100)
    second.signal(signal.SIGTERM)
    await run.verdict()


@long_run
async def test_from_three_workers_to_one_and_back(run: Run) -> None:
    """Kafka, streams_standby_replica_test: 3, 1, 3 workers; the oracle reads every checkpoint that was ever written.

    Catches: offsets in a changelog's checkpoints that go back.
    """
    await run.backlog(future_traffic(40_000, seed=24))
    workers = run.workers(3, FENLIU_MIN_BATCH_INTERVAL_MS=PACED_MS)
    for worker in workers:
        worker.start()
    await run.commits.grown_by(5000)
    for worker in workers[1:]:
        assert await worker.stop() == ExitCode.DONE
    await run.commits.grown_by(5000)
    for worker in workers[1:]:
        worker.start()
    await run.commits.grown_by(5000)
    await run.verdict()


@long_run
async def test_a_worker_without_partitions_stays_ready_and_takes_over(one_broker: KafkaCluster, tmp_path: Path) -> None:
    """Faust's issue of idle members: they are thrown out after max.poll.interval, here three seconds.

    Catches: a spare worker that is no longer in the group when it is needed.
    """
    async with start_run(
        one_broker.bootstrap_servers,
        tmp_path,
        partitions=1,
        FENLIU_MAX_BATCH_EVENTS="50",
        FENLIU_MIN_BATCH_INTERVAL_MS="100",
    ) as run:
        # With one partition no record can be in the wrong one.
        await run.backlog([record for record in future_traffic(8000, seed=25) if not record.misrouted])
        busy, spare = run.workers(2)
        for worker in (busy, spare):
            worker.lasting = Misfortune(max_poll_interval_ms=3000)
            worker.start()
            await run.commits.grown_by(1000)
        await run.commits.grown_by(3000)  # at most 500 a second
        if "taken over" in spare.log():
            busy, spare = spare, busy
        busy.wanted = False
        busy.signal(signal.SIGKILL)
        await run.verdict()
        assert [end.code for end in spare.exits] == [ExitCode.DONE]
