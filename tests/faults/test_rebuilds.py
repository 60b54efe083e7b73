"""State that was deleted, cut or contradicted, and the way out: `fenliu state verify` and `fenliu state rebuild`."""

import re

import orjson
import pytest
from aiokafka import TopicPartition

from schemas.codec import RANK
from streams.errors import ExitCode
from streams.lane.checkpoint import CHECKPOINTS
from streams.routing import TABLES
from tests.faults.operator import alter, commit, cut, recreate
from tests.faults.reading import read_topics
from tests.faults.run import Run
from tests.faults.selection import long_run
from tests.faults.traffic import future_traffic
from tests.faults.workers import Worker

pytestmark = pytest.mark.kafka


async def routed_in_part(run: Run, count: int, *, seed: int, shops: int = 24) -> Worker:
    """A backlog of which some is routed, and a worker that was stopped."""
    await run.backlog(future_traffic(count, seed=seed, shops=shops))
    worker = run.worker("worker", FENLIU_MIN_BATCH_INTERVAL_MS="60")
    worker.start()
    await run.commits.grown_by(count // 3)
    assert await worker.stop() == ExitCode.DONE
    return worker


async def refused(worker: Worker, why: str, *, way_out: str) -> None:
    """The worker starts, refuses and says why and what to do."""
    worker.start()
    worker.wanted = False
    assert await worker.ended() == ExitCode.CLUSTER, worker.log_tail()
    said = worker.log_tail(8)
    assert re.search(why, said), said
    assert way_out in said


async def test_changelogs_deleted_and_created_anew_are_rebuilt(run: Run) -> None:
    """faust-streaming, issues 158 and 597: a changelog that is gone, and one that is empty.

    Three shops on four partitions: one holds bad records only, its state is empty. Catches: a worker that begins
    with empty state, decisions that are published again by the rebuild, state that is not the one that was lost.
    """
    worker = await routed_in_part(run, 3000, seed=81, shops=3)
    assert (await run.fenliu("state", "verify")).code == ExitCode.DONE
    changelogs = [run.settings.changelog(table) for table in (*TABLES, CHECKPOINTS)]
    await recreate(run.settings, changelogs, partitions=run.partitions)
    await refused(worker, "no checkpoint record", way_out="fenliu state rebuild --from-inputs")
    verified = await run.fenliu("state", "verify")
    assert verified.code == ExitCode.FINDINGS, verified
    assert "fenliu state rebuild --from-inputs" in verified.stdout

    tried = await run.fenliu("state", "rebuild", "--from-inputs", "--dry-run", "--json")
    assert tried.code == ExitCode.DONE, tried
    logs = await read_topics(run.settings, changelogs)
    assert not any(records for log in logs.values() for records in log.values())
    done = await run.fenliu("state", "rebuild", "--from-inputs", "--json")
    assert done.code == ExitCode.DONE, done
    assert orjson.loads(done.stdout)["partitions"] == orjson.loads(tried.stdout)["partitions"]
    assert (await run.fenliu("state", "verify")).code == ExitCode.DONE
    worker.start()
    await run.verdict()


async def test_a_changelog_that_was_cut_is_refused_and_rebuilt(run: Run) -> None:
    """faust-streaming, issue 176: a changelog that is compacted, or cut, below what is needed.

    Catches: a worker that goes on with the buyers that are left; a rebuild that trusts them.
    """
    worker = await routed_in_part(run, 4000, seed=82)
    changelog = run.settings.changelog("last_contacts")
    log = (await read_topics(run.settings, [changelog]))[changelog]
    await alter(run.settings, changelog, cleanup_policy="compact,delete")
    await cut(run.settings, {TopicPartition(changelog, n): log[n][len(log[n]) // 2].offset for n in log if log[n]})
    await alter(run.settings, changelog)
    # Some buyers waited for an agent whose record still counts them; without such ones only the number of keys differs.
    why = r"buyers of table last_contacts wait there|but the checkpoint was written with"
    await refused(worker, why, way_out="fenliu state rebuild --from-inputs")
    trusting = await run.fenliu("state", "rebuild", "--from-changelogs")
    assert trusting.code == ExitCode.CLUSTER
    assert "fenliu state rebuild --from-inputs" in trusting.stderr
    rebuilt = await run.fenliu("state", "rebuild", "--from-inputs")
    assert rebuilt.code == ExitCode.DONE, rebuilt
    assert "right already" in rebuilt.stdout
    worker.start()
    await run.verdict()


async def test_offsets_that_an_operator_reset_are_set_right_from_the_changelogs(run: Run) -> None:
    """kafka-consumer-groups.sh --reset-offsets --to-latest: what is skipped would never be decided."""
    worker = await routed_in_part(run, 3000, seed=83)
    run.commits.may_go_back = True
    right = dict(run.commits.offsets)
    ends = await run.ends()
    await commit(run.settings, ends)
    await refused(worker, "not those of the checkpoint record", way_out="fenliu state rebuild --from-changelogs")
    rebuilt = await run.fenliu("state", "rebuild", "--from-changelogs", "--json")
    assert rebuilt.code == ExitCode.DONE, rebuilt
    for partition in orjson.loads(rebuilt.stdout)["partitions"]:
        for topic in RANK:
            tp = TopicPartition(run.settings.topic(topic), partition["partition"])
            assert partition["offsets"][topic] == right[tp]
    run.commits.offsets.clear()
    worker.start()
    await run.verdict()


@long_run
async def test_nothing_is_rebuilt_while_a_worker_runs(run: Run) -> None:
    """Catches: a rebuild that fences workers, and is fenced by them, in turn; a look that takes progress for damage."""
    await run.backlog(future_traffic(12_000, seed=84))
    worker = run.worker("worker", FENLIU_MIN_BATCH_INTERVAL_MS="100")
    worker.start()
    await run.commits.grown_by(500)
    verified = await run.fenliu("state", "verify")
    assert "MEND" not in verified.stdout, verified
    said = await run.fenliu("state", "rebuild", "--from-inputs")
    assert said.code == ExitCode.CLUSTER
    assert "1 worker is in the group" in said.stderr
    await run.verdict()
    assert [end.code for end in worker.exits] == [ExitCode.DONE]
