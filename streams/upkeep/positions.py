"""Where a partition is to be read on once its state is rebuilt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from schemas.codec import RANK, Topic
from streams.errors import ClusterError, UsageError
from streams.lane.checkpoint import Checkpoint
from streams.lane.restored import Bounds
from streams.settings import Settings

Where = Literal["committed", "checkpoint", "beginning", "end"]
"""What the group has committed; what the checkpoint record says; the oldest record kept; after the newest one."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Where to read on: for all inputs, and for some of them otherwise."""

    everywhere: Where
    at: Mapping[Topic, Where]

    def of(self, topic: Topic) -> Where:
        """Where to read a topic on."""
        return self.at.get(topic, self.everywhere)


def parse_positions(settings: Settings, words: Sequence[str], default: Where) -> Positions:
    """Read `WHERE` and `TOPIC=WHERE`; a topic is named as in the documents or as on the cluster.

    Raises:
        UsageError: naming what cannot be read.
    """
    everywhere, at = default, dict[Topic, Where]()
    names = {name: topic for topic in RANK for name in (topic, settings.topic(topic))}
    for word in words:
        name, separator, where = word.rpartition("=")
        if where not in get_args(Where) or (separator and name not in names):
            raise UsageError(
                f"--positions {word}: it is WHERE or TOPIC=WHERE, WHERE one of {', '.join(get_args(Where))}, "
                f"TOPIC one of {', '.join(RANK)}"
            )
        if separator:
            at[names[name]] = cast("Where", where)
        else:
            everywhere = cast("Where", where)
    return Positions(everywhere, at)


def resolve(
    settings: Settings,
    partition: int,
    positions: Positions,
    *,
    committed: Mapping[Topic, int | None],
    checkpoint: Checkpoint | None,
    bounds: Mapping[Topic, Bounds],
) -> dict[Topic, int]:
    """Offsets of all inputs.

    Raises:
        ClusterError: if one is not known, or its topic ends before it.
    """
    return {
        topic: _resolve(settings, partition, topic, positions.of(topic), committed, checkpoint, bounds[topic])
        for topic in RANK
    }


def _resolve(
    settings: Settings,
    partition: int,
    topic: Topic,
    where: Where,
    committed: Mapping[Topic, int | None],
    checkpoint: Checkpoint | None,
    bounds: Bounds,
) -> int:
    name = f"topic {settings.topic(topic)}, partition {partition}"
    if where == "beginning":
        return bounds.begin
    if where == "end":
        return bounds.end
    if where == "committed":
        offset, who = committed[topic], f"the group {settings.app_id} has committed"
    else:
        offset, who = None if checkpoint is None else checkpoint.offsets[topic], "the checkpoint record has"
    if offset is None:
        other = "checkpoint" if where == "committed" else "committed"
        raise ClusterError(
            f"{who} no position",
            where=name,
            mend=f"say where to read on: --positions {other}, or --positions {topic}=beginning (what it holds is "
            f"decided and published again), or --positions {topic}=end (what it holds is never decided)",
        )
    if offset > bounds.end:
        raise ClusterError(
            f"{who} {offset}, but the topic ends at {bounds.end}: it was deleted and created anew",
            where=name,
            mend=f"--positions {topic}=beginning reads it from its oldest record, --positions {topic}=end from its end",
        )
    return offset
