"""The format of what the changelogs hold, and how records of older formats are read.

A new field with a default needs no new format, if an older worker may drop it without harm. Anything else does: raise
`FORMAT`, and add to `MIGRATIONS` what makes a record of the format before into one of the new. A partition is written
anew, whole, by the take-over that first finds it in an older format; from then on older versions refuse it.
"""

from collections.abc import Callable, Mapping

from streams.lane.restore import Load
from streams.routing.snapshot import Change

FORMAT = 2
"""What this version writes: the version of its checkpoint records."""

Migration = Callable[[Change], Change | None]
"""A record of one format as one of the next; None if the next one has no such key. Deleted keys (None) come too."""

MIGRATIONS: dict[int, Migration] = {1: lambda change: change}
"""By the format that each reads. None is ever taken out: who upgrades may leave versions out.

1: agents' devices stood in the agents' records, where the router reads them still; now each has a record of its own.
"""


class UnknownFormatError(ValueError):
    """A checkpoint record of a format that this version does not read."""

    def __init__(self, version: int) -> None:
        super().__init__(f"format {version}, and this version reads {_readable()}")
        self.newer = version > FORMAT


def require_readable(version: int) -> None:
    """Refuse a format from which no chain of migrations leads to ours.

    Raises:
        UnknownFormatError: naming the formats that can be read.
    """
    if not _oldest() <= version <= FORMAT:
        raise UnknownFormatError(version)


def migrated(version: int, load: Load, migrations: Mapping[int, Migration] = MIGRATIONS) -> Load:
    """A `Load` for records of a readable format, which gives them to `load` as records of ours."""
    steps = [migrations[number] for number in range(version, FORMAT)]
    if not steps:
        return load

    def load_migrated(table: str, key: bytes, value: bytes | None) -> None:
        change: Change | None = Change(table, key, value)
        for step in steps:
            if change is None:
                return
            change = step(change)
        if change is not None:
            load(*change)

    return load_migrated


def _oldest() -> int:
    oldest = FORMAT
    while oldest - 1 in MIGRATIONS:
        oldest -= 1
    return oldest


def _readable() -> str:
    return f"format {FORMAT}" if _oldest() == FORMAT else f"formats {_oldest()} to {FORMAT}"
