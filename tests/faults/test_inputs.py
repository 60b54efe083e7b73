"""Inputs with gaps: transaction markers, aborted transactions, and what compaction or deletion leaves out."""

import signal

import pytest

from tests.faults.run import Run
from tests.faults.traffic import future_traffic

pytestmark = pytest.mark.kafka


async def test_transactional_producers_that_commit_and_abort(run: Run) -> None:
    """Kafka Streams, EosIntegrationTest with transactional input: offsets have gaps, and the last ones hold no record.

    Catches: an end of input that is never reached because its last offset is a marker; events of aborted transactions.
    """
    await run.transactional_backlog(future_traffic(5000, seed=31))
    worker = run.worker("worker", static=True, FENLIU_MIN_BATCH_INTERVAL_MS="40")
    worker.start()
    await run.commits.grown_by(3000)
    worker.signal(signal.SIGKILL)
    await run.verdict()
    assert len(worker.exits) == 1 + 1
