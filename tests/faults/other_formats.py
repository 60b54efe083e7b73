"""State formats of versions of fenliu that do not exist: an older one, 0, and the next one.

Format 0 counted every agent's pending replies one too high, and had a question mark behind the keys of its buyers.
The next one is as ours, but for its number.
"""

from typing import Literal

import orjson
from aiokafka import AIOKafkaProducer

from streams.lane import formats
from streams.lane.checkpoint import CHECKPOINTS
from streams.routing import TABLES
from streams.routing.snapshot import Change
from streams.settings import Settings
from tests.faults.reading import read_topics

NEXT = formats.FORMAT + 1
_VERSION = b'"version":%d' % formats.FORMAT


def install(which: Literal["next", "with older"]) -> None:
    """Make this process one of another version."""
    if which == "next":
        formats.MIGRATIONS[formats.FORMAT] = lambda change: change
        formats.FORMAT = NEXT
    else:
        formats.MIGRATIONS[0] = from_format_0


def from_format_0(change: Change) -> Change:
    """The migration that such a version would have."""
    table, key, value = change
    if table == "last_contacts":
        return Change(table, key.removesuffix(b"?"), value)
    return change if value is None or table != "pending_replies" else Change(table, key, _counted(value, -1))


def _to_format_0(change: Change) -> Change:
    table, key, value = change
    assert value is not None
    if table == "last_contacts":
        return Change(table, key + b"?", value)
    if table == "pending_replies":
        return Change(table, key, _counted(value, 1))
    return Change(table, key, value.replace(_VERSION, b'"version":0')) if table == CHECKPOINTS else change


def _counted(value: bytes, more: int) -> bytes:
    record = orjson.loads(value)
    if "pending" in record:  # an agent's; devices have none
        record["pending"] += more
    return orjson.dumps(record)


async def write_as_format_0(settings: Settings) -> int:
    """Replace all state by what an older version would have written; how many records it has."""
    table_of = {settings.changelog(table): table for table in (*TABLES, CHECKPOINTS)}
    count = 0
    async with (
        AIOKafkaProducer(**settings.kafka_client_kwargs(), transactional_id=f"{settings.app_id}-older") as producer,
        producer.transaction(),
    ):
        for topic, log in (await read_topics(settings, table_of)).items():
            for partition, records in log.items():
                newest = {record.key: record.value for record in records}
                for key, value in newest.items():
                    if value is not None:
                        change = _to_format_0(Change(table_of[topic], key, value))
                        if change.key != key:
                            await producer.send(topic, None, key=key, partition=partition)
                        await producer.send(topic, change.value, key=change.key, partition=partition)
                        count += 1
    return count
