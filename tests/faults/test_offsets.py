"""The group's offsets, moved by others than the transactions of the lane."""

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streams.errors import ExitCode
from tests.faults.run import Run
from tests.faults.traffic import future_traffic

pytestmark = pytest.mark.kafka


async def commit(run: Run, offsets: dict[TopicPartition, int]) -> None:
    """Commit in a transaction, since that is taken while the group has members, too."""
    settings = run.settings
    async with (
        AIOKafkaProducer(**settings.kafka_client_kwargs(), transactional_id=f"{settings.app_id}-operator") as producer,
        producer.transaction(),
    ):
        await producer.send_offsets_to_transaction(offsets, settings.app_id)


async def test_offsets_behind_the_checkpoint_are_asked_for_again_then_refused(run: Run) -> None:
    """After all brokers were killed, the coordinator tells offsets from before the last commits for a moment.

    Found by `test_all_brokers_are_down_for_longer_than_a_transaction_may_take`: a worker that takes over in that moment
    would have refused for good. Offsets that stay behind were reset by somebody, and are refused.
    """
    await run.backlog(future_traffic(3000, seed=71))
    worker = run.worker("worker", static=True)
    worker.start()
    await run.done()
    assert await worker.stop() == ExitCode.DONE
    run.commits.may_go_back = True
    right = dict(run.commits.offsets)
    old = {tp: offset - 5 for tp, offset in right.items() if offset > 5}
    await commit(run, old)

    worker.start()
    worker.wanted = False
    assert await worker.ended() == ExitCode.CLUSTER, worker.log_tail()
    assert "the committed offsets are not those of the checkpoint record" in worker.log()

    asked_before = worker.log().count("asking again")
    worker.start()
    await run.commits.until(
        lambda: worker.log().count("asking again") > asked_before, within_s=60, what=worker.log_tail
    )
    await commit(run, right)
    await run.commits.until(lambda: "taken over" in worker.log(), within_s=60, what=worker.log_tail)
    await run.verdict()
