"""Where a partition stands, as probes and metrics are told."""

from collections.abc import AsyncIterator

import pytest

from schemas.codec import RANK
from streams.lane.inputs import Fetched
from streams.lane.observer import RestoreReport
from streams.lane.partition import Partition
from streams.lane.takeover import Taken
from streams.lane.transaction import Writer
from streams.routing import Gauges, Router
from streams.settings import Settings
from tests.unit.lane.records import consumed


@pytest.fixture
async def partition() -> AsyncIterator[Partition]:
    """One that has read nothing yet."""
    settings = Settings()
    taken = Taken(
        writer=Writer(settings, 0),
        router=Router(),
        offsets=dict.fromkeys(RANK, 0),
        last_times=dict.fromkeys(RANK, 0),
        partition_count=1,
        dead_letter_partitions=1,
        report=RestoreReport(partition=0, seconds=0.0, records=0, keys={}, gauges=Gauges()),
    )
    partition = Partition(0, settings, taken)
    yield partition
    await partition.stop()


async def test_markers_at_the_end_of_an_idle_topic_are_no_lag(partition: Partition) -> None:
    """An aborted transaction leaves records that nobody reads and a marker: a probe must not wait for them."""
    for topic in RANK:
        partition.inputs.feed(topic, Fetched(0, 7, 7, 7, 1e9, 0, ()))
    assert not any(partition.status().lag_records.values())


async def test_a_record_that_waits_is_lag(partition: Partition) -> None:
    partition.inputs.feed("buyer-messages", Fetched(0, 1, 3, 3, 1e9, 0, [consumed("buyer-messages", 0, 10)]))
    assert partition.status().lag_records["buyer-messages"] == 3
