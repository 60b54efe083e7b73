"""What operators do to topics and groups, by mistake or because they must. Each ends in work or in a clear refusal."""

import asyncio
import re
import shlex
from collections import Counter

import orjson
import pytest
from aiokafka import TopicPartition

from schemas.codec import RANK
from streams.errors import ExitCode
from streams.settings import Settings
from streams.topics import create, declared
from tests.faults.operator import cut, grow, recreate
from tests.faults.reading import read_topics
from tests.faults.run import Run
from tests.faults.selection import long_run
from tests.faults.test_rebuilds import refused, routed_in_part
from tests.faults.traffic import future_traffic

pytestmark = [pytest.mark.kafka, long_run]


async def decided_once(run: Run) -> int:
    """No assignment was published twice; how many there are."""
    topic = run.settings.topic("assignments")
    log = (await read_topics(run.settings, [topic]))[topic]
    ids = Counter(orjson.loads(record.value)["assignment_id"] for records in log.values() for record in records)
    assert ids
    assert max(ids.values()) == 1
    return len(ids)


async def test_more_partitions_are_refused(run: Run) -> None:
    """Kafka lets them grow at any time, and every shop's records go to another partition from then on.

    Catches: shops that begin with empty state; a half-grown cluster that is routed.
    """
    worker = await routed_in_part(run, 3000, seed=101)
    await grow(run.settings, [run.settings.topic("buyer-messages")], run.partitions + 2)
    await refused(worker, r"it has 6 partitions, the inputs have 4", way_out="fenliu topics create")
    await grow(run.settings, [each.name for each in declared(run.settings) if "buyer-messages" not in each.name], 6)
    await refused(worker, "the number of partitions was changed", way_out="a new FENLIU_TOPIC_PREFIX")


async def test_an_input_that_was_deleted_and_created_anew_while_nobody_ran(run: Run) -> None:
    """Catches: a worker that waits for ever for the old position, or takes the new records for the old ones."""
    worker = await routed_in_part(run, 3000, seed=102)
    await recreate(run.settings, [run.settings.topic("agent-status")], partitions=run.partitions)
    await refused(worker, "the group has no offset for agent-status", way_out="fenliu state rebuild --from-changelogs")
    for source in ("--from-inputs", "--from-changelogs"):
        said = await run.fenliu("state", "rebuild", source)
        assert said.code == ExitCode.CLUSTER
        assert "--positions agent-status=beginning" in said.stderr
    (way_out,) = set(re.findall(r"run fenliu (state rebuild --from-changelogs .*=beginning)", worker.log_tail(8)))
    assert (await run.fenliu(*shlex.split(way_out))).code == ExitCode.DONE
    verified = await run.fenliu("state", "verify")
    assert verified.code == ExitCode.DONE, verified
    worker.start()
    await run.done()
    await run.stop()
    await decided_once(run)


async def test_an_input_that_is_deleted_and_created_anew_under_a_worker(run: Run) -> None:
    """Catches: a worker that looks healthy, and reads nothing until the new topic is as long as the old one was."""
    await run.backlog(future_traffic(3000, seed=103))
    worker = run.worker("worker")
    worker.start()
    await run.done()
    worker.wanted = False
    await recreate(run.settings, [run.settings.topic("agent-status")], partitions=run.partitions)
    assert await worker.ended(within_s=120) == ExitCode.CLUSTER, worker.log_tail()
    assert "the topic was deleted while this worker ran" in worker.log_tail(8)
    assert "fenliu state rebuild --from-changelogs" in worker.log_tail(8)


async def test_retention_that_cut_below_the_committed_offset(run: Run) -> None:
    """What nobody can bring back is said as an error, and the rest is routed; history that is gone is not made up.

    Catches: a worker that jumps to the end of the topic; a rebuild from half of the past that nobody asked for.
    """
    worker = await routed_in_part(run, 4000, seed=104)
    topic = run.settings.topic("buyer-messages")
    lost = {tp: offset + 20 for tp, offset in run.commits.offsets.items() if tp.topic == topic}
    ends = await run.ends()
    lost = {tp: min(offset, ends[tp]) for tp, offset in lost.items()}
    await cut(run.settings, lost)
    verified = await run.fenliu("state", "verify")
    assert verified.code == ExitCode.FINDINGS
    assert "retention deleted the records" in verified.stdout
    worker.start()
    await run.done()
    await run.stop()
    assert "retention deleted the records" in worker.log()
    await decided_once(run)

    said = await run.fenliu("state", "rebuild", "--from-inputs")
    assert said.code == ExitCode.CLUSTER
    assert "--accept-missing-history" in said.stderr
    accepted = await run.fenliu("state", "rebuild", "--from-inputs", "--accept-missing-history")
    assert accepted.code == ExitCode.DONE, accepted
    assert (await run.fenliu("state", "verify")).code == ExitCode.DONE


async def test_two_clusters_of_workers_with_one_app_id(run: Run) -> None:
    """A trial with its own topics, and the app id of production: whoever comes second does not start.

    Catches: members of one group with different topics, which fence each other's transactional ids.
    """
    await run.backlog(future_traffic(5000, seed=105))
    worker = run.worker("worker", FENLIU_MIN_BATCH_INTERVAL_MS="60")
    worker.start()
    await run.commits.grown_by(1000)
    prefix = f"{run.settings.topic_prefix}trial-"
    kept = {"kafka_bootstrap_servers": run.settings.kafka_bootstrap_servers, "app_id": run.settings.app_id}
    await create(Settings.load(**kept, topic_prefix=prefix), partitions=run.partitions, replication=1)
    trial = run.worker("trial", FENLIU_TOPIC_PREFIX=prefix)
    await refused(trial, "is used for other topics", way_out="FENLIU_APP_ID")
    await run.verdict()
    assert [end.code for end in worker.exits] == [ExitCode.DONE]
    # The offsets that it left behind are enough, too.
    await refused(trial, "is used for other topics", way_out="FENLIU_APP_ID")


async def test_two_clusters_of_workers_with_one_app_id_that_start_at_the_same_instant(run: Run) -> None:
    """Neither sees the other before it joins; in the group the leader does, and one of them ends.

    Catches: members of one group with different topics, which fence each other's transactional ids.
    """
    await run.backlog(future_traffic(5000, seed=106))
    trial_settings = run.settings.model_copy(update={"topic_prefix": f"{run.settings.topic_prefix}trial-"})
    await create(trial_settings, partitions=run.partitions, replication=1)
    worker, trial = run.worker("worker"), run.worker("trial", FENLIU_TOPIC_PREFIX=trial_settings.topic_prefix)
    for each in (worker, trial):
        each.start()
        each.wanted = False
    ends = [asyncio.create_task(each.ended(), name=each.name) for each in (worker, trial)]
    (end,), (other,) = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    other.cancel()
    ended = trial if end.get_name() == trial.name else worker
    assert end.result() == ExitCode.CLUSTER, ended.log_tail()
    assert "is used for other topics" in ended.log_tail(8)
    if trial.running:
        assert await trial.stop() == ExitCode.DONE
    if not worker.running:
        worker.start()
    await run.verdict()


async def test_routing_the_inputs_again_gives_the_state_that_is_there(run: Run) -> None:
    """A dry run is the strictest check that there is: every record of the changelogs is compared."""
    worker = await routed_in_part(run, 3000, seed=106)
    said = await run.fenliu("state", "rebuild", "--from-inputs", "--positions", "checkpoint", "--dry-run", "--json")
    assert said.code == ExitCode.DONE, said
    for partition in orjson.loads(said.stdout)["partitions"]:
        assert (partition["written"], partition["deleted"]) == (0, 0), partition
        for topic in RANK:
            tp = TopicPartition(run.settings.topic(topic), partition["partition"])
            assert partition["offsets"][topic] == run.commits.offsets[tp]
    worker.start()
    await run.verdict()
