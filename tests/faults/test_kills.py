"""Workers that die at once, as by a power failure, the kernel's out-of-memory killer or `kill -9`."""

import signal
from typing import get_args

import pytest

from streams.lane.faults import Point
from tests.faults.faulty_worker import Misfortune, Mishap
from tests.faults.run import Run
from tests.faults.traffic import future_traffic

pytestmark = pytest.mark.kafka


async def test_without_faults_the_oracle_agrees(run: Run) -> None:
    """The harness itself: if this fails, the others say nothing."""
    await run.backlog(future_traffic(6000, seed=1))
    run.worker("worker").start()
    verdict = await run.verdict()
    assert verdict.events == 6000
    assert verdict.assignments > 2000
    assert verdict.dead_letters > 10


async def test_killed_at_each_step_of_the_commit_in_turn(run: Run) -> None:
    """Quix Streams names these steps (docs/advanced/checkpointing.md): between any two of them a worker may die.

    Catches: output without its offsets, offsets without their state, state that was restored from what was aborted.
    """
    await run.backlog(future_traffic(8000, seed=2))
    worker = run.worker("worker", static=True)
    points = get_args(Point)
    worker.misfortunes = [Misfortune(mishaps=(Mishap(point=point, nth=7),)) for point in points]
    worker.start()
    verdict = await run.verdict()
    assert [end.code for end in worker.exits] == [-signal.SIGKILL] * len(points) + [0]
    assert verdict.events == 8000
