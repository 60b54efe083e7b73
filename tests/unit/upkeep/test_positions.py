"""Where workers read on after a rebuild: what can be said, and what is refused."""

import pytest

from schemas.codec import RANK, Topic
from streams.errors import ClusterError, UsageError
from streams.lane.checkpoint import Checkpoint
from streams.lane.restored import Bounds
from streams.settings import Settings
from streams.upkeep.positions import Positions, parse_positions, resolve

SETTINGS = Settings(topic_prefix="p-")
BOUNDS = dict.fromkeys(RANK, Bounds(2, 50))
COMMITTED: dict[Topic, int | None] = dict.fromkeys(RANK, 10)
CHECKPOINT = Checkpoint(offsets=dict.fromkeys(RANK, 20), last_times={}, keys={})


def resolved(
    *words: str,
    committed: dict[Topic, int | None] = COMMITTED,
    checkpoint: Checkpoint | None = CHECKPOINT,
) -> dict[Topic, int]:
    positions = parse_positions(SETTINGS, words, "committed")
    return resolve(SETTINGS, 3, positions, committed=committed, checkpoint=checkpoint, bounds=BOUNDS)


def test_nothing_said_is_the_default() -> None:
    assert parse_positions(SETTINGS, (), "checkpoint") == Positions("checkpoint", {})


@pytest.mark.parametrize(("word", "offset"), [("committed", 10), ("checkpoint", 20), ("beginning", 2), ("end", 50)])
def test_one_word_is_for_all_inputs(word: str, offset: int) -> None:
    assert resolved(word) == dict.fromkeys(RANK, offset)


@pytest.mark.parametrize("name", ["agent-status", "p-agent-status"])
def test_an_input_may_be_read_on_elsewhere(name: str) -> None:
    assert resolved(f"{name}=end", "checkpoint") == dict.fromkeys(RANK, 20) | {"agent-status": 50}


@pytest.mark.parametrize("word", ["nowhere", "agents=end", "agent-status=", "=end", "agent-status=7"])
def test_anything_else_is_wrong_use(word: str) -> None:
    with pytest.raises(UsageError, match="WHERE or TOPIC=WHERE"):
        resolved(word)


def test_a_position_that_is_not_known_is_asked_for() -> None:
    with pytest.raises(ClusterError, match="the group fenliu has committed no position") as refused:
        resolved(committed=COMMITTED | {"agent-replies": None})
    assert "--positions checkpoint" in refused.value.mend
    assert "topic p-agent-replies, partition 3" in str(refused.value)
    with pytest.raises(ClusterError, match="the checkpoint record has no position") as refused:
        resolved("checkpoint", checkpoint=None)
    assert "--positions committed" in refused.value.mend


def test_a_position_beyond_the_end_is_refused() -> None:
    with pytest.raises(ClusterError, match="has committed 51, but the topic ends at 50") as refused:
        resolved(committed=COMMITTED | {"agent-status": 51})
    assert "--positions agent-status=beginning" in refused.value.mend
