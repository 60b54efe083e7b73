"""Versions of fenliu whose state has another format: a rolling upgrade, both side by side, and the way back."""

import pytest

from streams.errors import ExitCode
from streams.lane import formats
from tests.faults.faulty_worker import Misfortune
from tests.faults.other_formats import NEXT, from_format_0, write_as_format_0
from tests.faults.run import Run
from tests.faults.selection import long_run
from tests.faults.traffic import future_traffic

pytestmark = [pytest.mark.kafka, long_run]


async def test_state_of_an_older_format_is_migrated_by_the_take_over(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches: records that keep the old format while the checkpoint names the new one; old keys that stay."""
    await run.backlog(future_traffic(5000, seed=91))
    worker = run.worker("worker", FENLIU_MIN_BATCH_INTERVAL_MS="60")
    worker.start()
    await run.commits.grown_by(2500)
    assert await worker.stop() == ExitCode.DONE
    assert await write_as_format_0(run.settings) > 100

    worker.start()
    worker.wanted = False
    assert await worker.ended() == ExitCode.CLUSTER
    assert "the state was written by an older version of fenliu (format 0, and this version reads" in worker.log()
    worker.lasting = Misfortune(state_format="with older")
    worker.start()
    monkeypatch.setitem(formats.MIGRATIONS, 0, from_format_0)  # the oracle reads all checkpoints
    await run.verdict()
    assert worker.log().count(f"is written anew in format {formats.FORMAT}") == run.partitions
    assert (await run.fenliu("state", "verify")).code == ExitCode.DONE


async def test_a_rolling_upgrade_and_a_downgrade(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old and new workers side by side; then an old one again, which must not touch what it does not know.

    Catches: an old worker that drops what a new one wrote; a downgrade that ends in a traceback or in wrong decisions.
    """
    await run.backlog(future_traffic(20_000, seed=92))
    first, second = run.workers(2, FENLIU_MIN_BATCH_INTERVAL_MS="200")
    first.start()
    second.start()
    await run.commits.grown_by(2000)
    assert await second.stop() == ExitCode.DONE
    second.lasting = Misfortune(state_format="next")
    second.start()
    await run.commits.until(
        lambda: f"is written anew in format {NEXT}" in second.log(), within_s=60, what=second.log_tail
    )
    await run.commits.grown_by(1500)  # both
    assert await first.stop() == ExitCode.DONE
    await run.commits.until(
        lambda: second.log().count(f"is written anew in format {NEXT}") == run.partitions,
        within_s=60,
        what=second.log_tail,
    )
    await run.commits.grown_by(500)

    first.start()
    first.wanted = False
    assert await first.ended() == ExitCode.CLUSTER
    assert f"the state was written by a newer version of fenliu (format {NEXT}" in first.log()
    await run.commits.grown_by(500)  # the new one goes on
    assert await second.stop() == ExitCode.DONE
    verified = await run.fenliu("state", "verify")
    assert verified.code == ExitCode.FINDINGS
    assert "fenliu state rebuild --from-inputs" in verified.stdout
    assert (await run.fenliu("state", "rebuild", "--from-inputs")).code == ExitCode.DONE
    first.start()
    monkeypatch.setitem(formats.MIGRATIONS, formats.FORMAT, lambda change: change)
    monkeypatch.setattr(formats, "FORMAT", NEXT)
    await run.verdict()
