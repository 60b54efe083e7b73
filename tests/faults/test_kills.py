"""Workers that die at once, as by a power failure, the kernel's out-of-memory killer or `kill -9`."""

import signal
from typing import get_args

import pytest

from streams.lane.faults import Point
from tests.faults.faulty_worker import Misfortune, Mishap
from tests.faults.run import Run
from tests.faults.selection import long_run
from tests.faults.traffic import future_traffic

pytestmark = pytest.mark.kafka

KILLED = -signal.SIGKILL


async def test_killed_at_each_step_of_the_commit_in_turn(run: Run) -> None:
    """Quix Streams names these steps (docs/advanced/checkpointing.md): between any two of them a worker may die.

    Catches: output without its offsets, offsets without their state, state that was restored from what was aborted.
    """
    await run.backlog(future_traffic(6000, seed=2))
    worker = run.worker("worker", static=True)
    points = get_args(Point)
    worker.misfortunes = [
        Misfortune(mishaps=(Mishap(point=point, nth=3 if point.startswith("during") else 7),)) for point in points
    ]
    worker.start()
    verdict = await run.verdict()
    assert [end.code for end in worker.exits] == [KILLED] * len(points) + [0]
    assert verdict.events == 6000


async def test_a_key_seen_only_in_a_transaction_that_was_not_committed_leaves_no_state(run: Run) -> None:
    """Kafka Streams, EosIntegrationTest.shouldNotViolateEosIfOneTaskFailsWithState.

    The first transaction of a partition dies with everything delivered and nothing committed, twice: all of its keys
    were seen only there. Catches: a restore that reads what was aborted.
    """
    await run.backlog(future_traffic(3000, seed=3))
    worker = run.worker("worker", static=True)
    worker.misfortunes = [Misfortune(mishaps=(Mishap(point="before_commit"),))] * 2
    worker.start()
    await run.verdict()
    assert [end.code for end in worker.exits] == [KILLED] * 2 + [0]


async def test_killed_three_times_under_load_with_two_workers(run: Run) -> None:
    """Kafka, streams_eos_test.run_failure_and_recovery: one dies, the other takes over, the first comes back.

    Catches: two owners of a partition, a take-over that reads an offset which the dead one still moves.
    """
    await run.backlog(future_traffic(12_000, seed=4))
    first, second = run.workers(2, FENLIU_MIN_BATCH_INTERVAL_MS="80")
    first.start()
    second.start()
    for victim in (first, second, first):
        await run.commits.grown_by(2000)
        victim.signal(signal.SIGKILL)
    verdict = await run.verdict()
    assert run.supervisor.exits()[KILLED] == 3
    assert verdict.events == 12_000


@long_run
async def test_a_named_worker_that_is_killed_comes_back_within_the_session_timeout(run: Run) -> None:
    """KIP-345, StaticMember tests of Kafka: a restart inside the session timeout moves no partition.

    Catches: a member that waits for its own ghost, and a restore beside an old owner.
    """
    await run.backlog(future_traffic(10_000, seed=5))
    worker = run.worker("worker", static=True, FENLIU_SESSION_TIMEOUT_S="30", FENLIU_MIN_BATCH_INTERVAL_MS="50")
    worker.start()
    await run.commits.grown_by(2000)
    worker.signal(signal.SIGKILL)
    await run.verdict()
    assert max(run.commits.longest_pause_s.values()) < 25


async def test_live_traffic_with_kills_is_decided_as_the_replay_says(run: Run) -> None:
    """Redpanda and Jepsen run their nemesis against live traffic: batches of a few events, and much idling.

    Catches: what a full buffer hides, such as an end of input that is believed too soon after a take-over.
    """
    first, second = run.workers(2, static=True)
    first.start()
    second.start()
    feeding = run.live(future_traffic(3000, seed=6, shops=48), within_s=60)
    for victim in (second, first):
        await run.commits.grown_by(700)
        victim.signal(signal.SIGKILL)
    await feeding
    await run.verdict()
    assert run.supervisor.exits()[KILLED] == 2
