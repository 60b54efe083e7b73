"""Settings that are newer than a letter: sent back, it would replace them.

Other events that are late are applied late (O3), each for itself; settings replace all that a shop has.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.codec import InvalidEvent, decode
from streams.partitioner import partition_of
from streams.permissions import partitions_of
from streams.redrive.letters import Letter
from streams.redrive.plan import LeftOut, Resend
from streams.settings import Settings
from streams.shop_configs import TOPIC
from streams.topic_reader import topic_reader


class InForce(NamedTuple):
    """The newest record of a shop's settings that workers take."""

    partition: int
    offset: int
    timestamp_ms: int


async def in_force(settings: Settings, keys: Collection[bytes]) -> dict[bytes, InForce]:
    """The settings of shops by key, as far as they have any; a return to the defaults is one of them.

    Raises:
        ClusterError: if the topic does not exist, or this user may not read it.
    """
    if not keys:
        return {}
    topic = settings.topic(TOPIC)
    count = (await partitions_of(settings, [topic], "Read"))[topic]
    found: dict[bytes, InForce] = {}
    async with topic_reader(settings, topic, only={partition_of(key, count) for key in keys}) as reader:
        await reader.from_beginning()
        async for record in reader.to_end():
            if record.key not in keys:
                continue
            try:
                decode(TOPIC, record.value, key=record.key, timestamp_ms=record.timestamp)
            except InvalidEvent:
                continue  # the shop kept what it had
            found[record.key] = InForce(record.partition, record.offset, record.timestamp)
    return found


def spare_newer(
    planned: Resend | LeftOut, letter: Letter, newest: Mapping[bytes, InForce], replaceable: Collection[str]
) -> Resend | LeftOut:
    """Leave settings out that would replace newer ones.

    Args:
        planned: what is to be sent for the letter.
        letter: the letter.
        newest: the settings in force.
        replaceable: shops whose newer settings may be replaced all the same.
    """
    if isinstance(planned, LeftOut) or planned.topic != TOPIC or planned.key is None:
        return planned
    there, shop = newest.get(planned.key), planned.key.decode(errors="replace")
    if there is None or shop in replaceable or not _newer(there, letter):
        return planned
    return LeftOut(
        letter.id,
        "newer_settings",
        f"{shop} has had newer settings since {_instant(there.timestamp_ms)}; to replace them with these of "
        f"{_instant(_came_at_ms(letter))}: --replace-newer {shop}",
    )


def _newer(there: InForce, letter: Letter) -> bool:
    if there.partition == letter.partition:
        return there.offset > letter.offset
    return there.timestamp_ms > _came_at_ms(letter)


def _came_at_ms(letter: Letter) -> int:
    return letter.timestamp_ms if letter.timestamp_ms >= 0 else letter.refused_at_ms


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().isoformat(timespec="seconds")
