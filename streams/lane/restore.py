"""Reading the changelogs of a partition in bulk. It knows no tables but their names."""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.lane import faults
from streams.settings import Settings

Load = Callable[[str, bytes, bytes | None], None]
"""Takes (table, key, value) in changelog order; None is a deleted key."""

SLICE_RECORDS = 2000
"""How many records are loaded before other partitions get a turn: a few milliseconds."""


async def restore(
    consumer: AIOKafkaConsumer, settings: Settings, tables: Iterable[str], partition: int, load: Load
) -> int:
    """Read what was committed to the changelogs of `tables`.

    The end is asked for once, at the start: whoever wrote before is fenced by then. It is reached when the consumer's
    position is there, not when its last record was seen, since markers and compaction leave gaps at the end.

    Args:
        consumer: one that reads committed records only and has nothing assigned.
        settings: for the names of the changelogs.
        tables: whose changelogs to read.
        partition: of each changelog.
        load: gets every record, those of one changelog in order.

    Returns:
        The number of records read.
    """
    table_of = {TopicPartition(settings.changelog(table), partition): table for table in tables}
    consumer.assign(list(table_of))
    ends = await consumer.end_offsets(list(table_of))
    for tp, offset in (await consumer.beginning_offsets(list(table_of))).items():
        consumer.seek(tp, offset)
    count = 0
    left = set(table_of)
    while True:
        for tp in list(left):
            if await consumer.position(tp) >= ends[tp]:
                left.discard(tp)
                consumer.pause(tp)
        if not left:
            return count
        faults.reached("during_restore")
        fetched = await consumer.getmany(*left, timeout_ms=200, max_records=SLICE_RECORDS)
        for tp, records in fetched.items():
            table = table_of[tp]
            for record in records:
                load(table, record.key, record.value)
            count += len(records)
        await asyncio.sleep(0)
