"""Workers that stand still past the session timeout, lose their partitions, and wake up: a suspended machine."""

import signal

import pytest

from streams.errors import ExitCode
from streams.lane.faults import Point
from tests.faults.faulty_worker import Misfortune, Mishap
from tests.faults.run import Run
from tests.faults.selection import long_run
from tests.faults.traffic import future_traffic

pytestmark = pytest.mark.kafka

TWO_DAYS_S = 2 * 86_400.0


@pytest.mark.parametrize(
    "point",
    [
        "before_commit",
        pytest.param("before_begin", marks=long_run),
        pytest.param("after_begin", marks=long_run),
        pytest.param("after_offsets", marks=long_run),
    ],
)
async def test_a_zombie_is_fenced_and_commits_nothing(run: Run, point: Point) -> None:
    """Kafka Streams, EosIntegrationTest.shouldNotViolateEosIfOneTaskGetsFencedUsingIsolatedAppInstances.

    It stops in the middle of a commit; all of its partitions are routed to their ends by another worker; then it wakes.
    Catches: a commit by who is no longer the owner; a take-over that does not end the transaction left open.
    """
    await run.backlog(future_traffic(5000, seed=11))
    zombie, successor = run.workers(2)
    zombie.misfortunes = [Misfortune(mishaps=(Mishap(point=point, nth=20, do="stop"),))]
    zombie.start()
    await zombie.suspended()
    successor.start()
    await run.done()
    zombie.wanted = False
    zombie.signal(signal.SIGCONT)
    assert await zombie.ended() == ExitCode.FENCED, zombie.log_tail()
    await run.stop()
    await run.judged()


@long_run
@pytest.mark.parametrize("point", ["during_takeover", "during_restore"])
async def test_a_zombie_of_a_take_over_does_no_harm(run: Run, point: Point) -> None:
    """The same, stopped while it takes partitions over: it has fenced, and is fenced before it has read anything.

    It ended with 78 or 70: what it read was written on meanwhile, and it called that tampering or a defect. Catches:
    state restored from before a successor's commits, with offsets from after them.
    """
    await run.backlog(future_traffic(20_000, seed=12))
    first, second = run.workers(2, FENLIU_MIN_BATCH_INTERVAL_MS="50")
    first.start()
    await run.commits.grown_by(4000)
    second.misfortunes = [Misfortune(mishaps=(Mishap(point=point, nth=2, do="stop"),))]
    second.start()
    await second.suspended()
    await run.commits.grown_by(4000)
    second.signal(signal.SIGCONT)
    await run.verdict()


async def test_a_wrong_clock_decides_nothing_while_there_is_a_backlog(run: Run) -> None:
    """Jepsen's clock nemesis: a worker's clock is nearly an hour fast, so deadlines are past; the next one's is slow.

    Catches: timers that the wall clock fires although inputs wait (O1), and positions or fences that depend on time.
    """
    await run.backlog(future_traffic(9000, seed=13, ahead_ms=20 * 60_000))
    worker = run.worker("worker", static=True, FENLIU_MIN_BATCH_INTERVAL_MS="50")
    worker.misfortunes = [Misfortune(clock_ahead_s=50 * 60.0), Misfortune(clock_ahead_s=-TWO_DAYS_S)]
    worker.start()
    for _ in range(2):
        await run.commits.grown_by(2500)
        worker.signal(signal.SIGKILL)
    await run.verdict()


async def test_a_clock_that_the_brokers_refuse_is_named(run: Run) -> None:
    """A machine that came up in the wrong year: brokers take no record from more than an hour ahead of them.

    The worker once ended with 70, a defect to be reported. Catches: offsets that are committed without the records.
    """
    await run.backlog(future_traffic(2000, seed=14))
    worker = run.worker("worker", static=True)
    worker.misfortunes = [Misfortune(clock_ahead_s=TWO_DAYS_S)]
    worker.start()
    worker.wanted = False
    assert await worker.ended() == ExitCode.CLUSTER, worker.log_tail()
    assert "its clock is fast" in worker.log()
    assert not run.commits.total
    worker.start()
    await run.verdict()
