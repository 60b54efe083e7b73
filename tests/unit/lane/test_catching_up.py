"""Committed offsets that are behind the checkpoint may be old ones that a coordinator tells for a moment."""

from schemas.codec import RANK, Topic
from streams.lane.checkpoint import Checkpoint, may_catch_up

CHECKPOINT = Checkpoint(offsets=dict.fromkeys(RANK, 10), last_times={}, keys={})


def committed(**beside: int | None) -> dict[Topic, int | None]:
    offsets: dict[Topic, int | None] = dict.fromkeys(RANK, 10)
    for topic in RANK:
        name = topic.replace("-", "_")
        if name in beside:
            offsets[topic] = beside[name]
    return offsets


def test_older_offsets_may_catch_up() -> None:
    assert may_catch_up(CHECKPOINT, committed(agent_status=9, buyer_messages=None))


def test_an_offset_beyond_the_checkpoint_was_moved_by_somebody() -> None:
    assert not may_catch_up(CHECKPOINT, committed(agent_status=9, buyer_messages=11))


def test_without_a_checkpoint_there_is_nothing_to_catch_up_with() -> None:
    assert not may_catch_up(None, committed())
