"""The checkpoint record of a partition, and what must agree after a restore. It knows no broker."""

import logging
from collections.abc import Mapping

import msgspec
import orjson
from msgspec import Struct

from schemas.codec import RANK, Topic
from streams.lane import formats
from streams.lane.errors import FROM_CHANGELOGS, FROM_INPUTS, CheckpointMismatchError, from_new_topics, shown_offsets

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"
"""The table whose changelog holds the checkpoint records, one key a partition."""


class Checkpoint(Struct, frozen=True, kw_only=True):
    """Written in the transaction whose offsets and state it describes."""

    version: int = msgspec.field(default_factory=lambda: formats.FORMAT)
    """The format of the state that it describes (`streams.lane.formats`)."""
    offsets: dict[Topic, int]
    """Where each input is read on."""
    last_times: dict[Topic, int]
    """Time (ms) of the newest record applied of each topic (O2)."""
    keys: dict[str, int]
    """Live keys of each state table."""


def checkpoint_key(partition: int) -> bytes:
    """The key of a partition's checkpoint record."""
    return b"checkpoint-%d" % partition


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The value of a checkpoint record."""
    return orjson.dumps(msgspec.to_builtins(checkpoint))


class _Versioned(Struct):
    """What every checkpoint record has, of whatever format."""

    version: int


def decode_checkpoint(value: bytes) -> Checkpoint:
    """Read a checkpoint record.

    Raises:
        UnknownFormatError: if it describes state of a format that this version does not read.
        ValueError: if it is no checkpoint record.
    """
    formats.require_readable(msgspec.json.decode(value, type=_Versioned).version)
    return msgspec.json.decode(value, type=Checkpoint)


class Start(Struct, frozen=True, kw_only=True):
    """Where a partition begins to read after its take-over."""

    offsets: dict[Topic, int | None]
    """None: at the oldest record."""
    last_times: dict[Topic, int]


def agree(
    partition: int,
    app_id: str,
    *,
    checkpoint: Checkpoint | None,
    committed: Mapping[Topic, int | None],
    keys: Mapping[str, int],
) -> Start:
    """Compare what the group committed, what the checkpoint says, and the state that was restored.

    All three were written by one transaction, so they differ only if somebody else wrote or deleted some of them.
    Offsets that are gone altogether are no such case: Kafka forgets those of an empty group after a week
    (offsets.retention.minutes), and the checkpoint holds the same numbers.

    Raises:
        CheckpointMismatchError: naming what differs, and the way out.
    """
    said = "nothing" if checkpoint is None else shown_offsets(checkpoint.offsets)

    def mismatch(why: str, *, way_out: str = FROM_INPUTS) -> CheckpointMismatchError:
        return CheckpointMismatchError(
            partition, app_id, committed=shown_offsets(committed), checkpoint=said, why=why, way_out=way_out
        )

    live = {table: count for table, count in keys.items() if count}
    nothing_committed = all(offset is None for offset in committed.values())
    if checkpoint is None:
        if not nothing_committed:
            raise mismatch("the changelogs have no checkpoint record, although this partition was routed before")
        if live:
            raise mismatch(f"the changelogs hold state without a checkpoint record: {_shown(live)}")
        return Start(offsets=dict.fromkeys(RANK), last_times={})
    expected = {table: count for table, count in checkpoint.keys.items() if count}
    if live != expected:
        raise mismatch(
            f"the changelogs hold {_shown(live)}, but the checkpoint was written with {_shown(expected)}",
        )
    if nothing_committed:
        logger.warning(
            "Partition %d: the group's offsets have expired; going on from the checkpoint record (%s)", partition, said
        )
    elif gone := _only_gone(checkpoint.offsets, committed):
        raise mismatch(f"the group has no offset for {', '.join(gone)}", way_out=from_new_topics(gone))
    elif dict(committed) != dict(checkpoint.offsets):
        raise mismatch("the committed offsets are not those of the checkpoint record", way_out=FROM_CHANGELOGS)
    return Start(offsets=dict(checkpoint.offsets), last_times=dict(checkpoint.last_times))


def _only_gone(offsets: Mapping[Topic, int], committed: Mapping[Topic, int | None]) -> list[Topic]:
    """The topics without a committed offset, if all others are as they should be."""
    gone = [topic for topic, offset in committed.items() if offset is None]
    return gone if all(committed[topic] == offset for topic, offset in offsets.items() if topic not in gone) else []


def may_catch_up(checkpoint: Checkpoint | None, committed: Mapping[Topic, int | None]) -> bool:
    """Whether the committed offsets may be an older state of the checkpoint's: none of them is beyond it."""
    return checkpoint is not None and all(
        offset is None or offset <= checkpoint.offsets[topic] for topic, offset in committed.items()
    )


def _shown(keys: Mapping[str, int]) -> str:
    return ", ".join(f"{count} keys of {table}" for table, count in sorted(keys.items())) or "no keys"
