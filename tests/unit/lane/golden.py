"""Changelogs as each format of the state had them, kept for ever: `changelogs/format-N.jsonl`.

A line is a record of a changelog in order, superseded ones and tombstones among them, the checkpoint record last.
`python -m tests.unit.lane.golden` writes the file of the format that is current, if there is none yet. None is ever
written anew: what was once written to somebody's changelog must be restored as long as there is fenliu.
"""

from pathlib import Path
from typing import NamedTuple

import orjson
from msgspec.structs import replace

from schemas.codec import RANK
from streams.lane import formats
from streams.lane.checkpoint import CHECKPOINTS, Checkpoint, checkpoint_key, encode_checkpoint
from streams.routing import Change, Router
from tests.reference.traffic import random_events

DIRECTORY = Path(__file__).parent / "changelogs"
PARTITION = 3
_SEEDS = (3, 4, 6, 8, 11)
_EVENTS = 100
_BATCH = 20


class Expected(NamedTuple):
    """What a router restored from a dump must show."""

    keys: dict[str, int]
    pending: dict[str, dict[str, int]]
    """Pending replies by account, by shop."""
    agents: dict[str, int]
    """By presence."""
    message_pool: int


def load(path: Path) -> tuple[list[Change], Expected]:
    """The records of a dump, and what must come of them, which is its first line."""
    first, *lines = path.read_bytes().splitlines()
    changes = []
    for line in lines:
        table, key, value = orjson.loads(line)
        changes.append(Change(table, key.encode(), None if value is None else value.encode()))
    return changes, Expected(**orjson.loads(first))


def shown(router: Router, shops: list[str]) -> Expected:
    """What a router shows."""
    gauges = router.gauges()
    pending = {shop: router.shop_pending(shop) for shop in shops}
    return Expected(router.key_counts(), pending, dict(gauges.agents), gauges.message_pool)


def _dump() -> bytes:
    router, changes = Router(), list[Change]()
    for seed in _SEEDS:
        for number, item in enumerate(random_events(seed, _EVENTS, ticks=True, section_13=True)):
            if isinstance(item, int):
                router.fire_timers(item)
            else:
                router.apply(replace(item, shop_id=f"{item.shop_id}-{seed}"))
            if number % _BATCH == 0:
                changes += router.take_changes()
    changes += router.take_changes()
    offsets = {topic: 1000 + rank for topic, rank in RANK.items()}
    times = {topic: 1_762_821_000_000 + rank for topic, rank in RANK.items()}
    checkpoint = Checkpoint(offsets=offsets, last_times=times, keys=router.key_counts())
    changes.append(Change(CHECKPOINTS, checkpoint_key(PARTITION), encode_checkpoint(checkpoint)))
    shops = sorted({change.key.decode() for change in changes if change.table == "shops"})
    lines = [orjson.dumps(shown(router, shops)._asdict())]
    lines += [
        orjson.dumps((table, key.decode(), None if value is None else value.decode())) for table, key, value in changes
    ]
    return b"\n".join(lines) + b"\n"


def main() -> None:
    """Write the dump of the current format."""
    with (DIRECTORY / f"format-{formats.FORMAT}.jsonl").open("xb") as file:
        file.write(_dump())


if __name__ == "__main__":
    main()
