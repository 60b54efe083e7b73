"""The life of a partition: what may follow what, and which calls lead there."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from schemas.codec import RANK
from streams.errors import DefectError
from streams.lane.inputs import Batch, Fetched
from streams.lane.observer import RestoreReport
from streams.lane.partition import Partition
from streams.lane.phase import FOLLOWS, Phase
from streams.lane.takeover import Taken
from streams.lane.transaction import Writer
from streams.routing import Gauges, Router
from streams.settings import Settings
from tests.unit.lane.records import consumed


@pytest.fixture
async def partition() -> AsyncIterator[Partition]:
    settings = Settings()
    partition = Partition(
        0,
        settings,
        Taken(
            writer=Writer(settings, 0),
            router=Router(),
            offsets=dict.fromkeys(RANK, 0),
            last_times=dict.fromkeys(RANK, 0),
            partition_count=1,
            dead_letter_partitions=1,
            report=RestoreReport(partition=0, seconds=0.0, records=0, keys={}, gauges=Gauges()),
        ),
    )
    yield partition
    await partition.stop()


def fill(partition: Partition) -> None:
    """A message waits, and all inputs are at their ends."""
    for topic in RANK:
        records = [consumed(topic, 0, 10)] if topic == "buyer-messages" else []
        position = len(records)
        partition.inputs.feed(topic, Fetched(0, position, position, position, 1e12, 0, records))


def announced(partition: Partition) -> Batch:
    fill(partition)
    batch = partition.announce()
    assert batch is not None
    return batch


def test_every_phase_may_be_left_but_failure() -> None:
    assert set(FOLLOWS) == set(Phase)
    assert {phase for phase, after in FOLLOWS.items() if not after} == {Phase.FAILED}
    assert {after for each in FOLLOWS.values() for after in each} == set(Phase)


async def test_nothing_begins_before_the_group_has_said_who_owns_it(partition: Partition) -> None:
    fill(partition)
    assert partition.phase is Phase.HELD
    assert partition.announce() is None
    assert partition.due() is None


async def test_one_batch_at_a_time(partition: Partition) -> None:
    partition.resume()
    batch = announced(partition)
    assert partition.announce() is None
    assert partition.accept(batch)
    assert not partition.accept(batch)
    assert partition.phase is Phase.RUNNING


async def test_a_batch_that_a_rebalance_has_overtaken_is_dropped_and_read_again(partition: Partition) -> None:
    partition.resume()
    batch = announced(partition)
    partition.hold()
    assert not partition.accept(batch)
    partition.resume()
    assert not partition.accept(batch)
    assert partition.inputs.wanted()["buyer-messages"] == 0


async def test_what_is_under_way_while_the_group_moves_is_the_last(partition: Partition) -> None:
    partition.resume()
    assert partition.accept(announced(partition))
    partition.hold()
    assert partition.phase.name == "LAST"
    partition.done(lambda: None)
    assert partition.phase.name == "HELD"


async def test_a_rest_ends_by_itself_and_leaves_one_timer(partition: Partition) -> None:
    """Whoever looks at a resting partition, however often, leaves nothing behind."""
    partition.resume()
    assert partition.accept(announced(partition))
    partition._rests_until = asyncio.get_running_loop().time() + 0.05
    woken = asyncio.Event()
    partition.done(woken.set)
    timers = len(asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]
    for _ in range(100):
        assert partition.announce() is None
        assert partition.due() is None
    assert len(asyncio.get_running_loop()._scheduled) == timers  # type: ignore[attr-defined]
    await asyncio.wait_for(woken.wait(), 10)
    assert partition.phase is Phase.READY


async def test_a_rest_that_a_rebalance_has_cut_short_does_not_end_another(partition: Partition) -> None:
    partition.resume()
    assert partition.accept(announced(partition))
    partition._rests_until = asyncio.get_running_loop().time() + 60
    partition.done(lambda: None)
    partition.hold()
    assert partition._rest is not None
    assert partition._rest.cancelled()


async def test_nothing_follows_a_failure(partition: Partition) -> None:
    partition.resume()
    assert partition.accept(announced(partition))
    partition.fail()
    partition.hold()
    partition.resume()
    assert partition.phase is Phase.FAILED
    assert partition.announce() is None


async def test_what_may_not_follow_is_a_defect(partition: Partition) -> None:
    with pytest.raises(DefectError, match="FAILED cannot follow HELD"):
        partition.fail()
