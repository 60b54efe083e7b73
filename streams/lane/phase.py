"""What a partition of this worker may be doing, and what may follow: the whole life of an owned partition.

READY      nothing under way; the next batch, or timers that are due, may be taken
ANNOUNCED  a batch is on its way through the agent's stream
RUNNING    a batch is being routed and committed
RESTING    a batch is committed, and the next transaction must not begin yet (FENLIU_MIN_BATCH_INTERVAL_MS)
LAST       as RUNNING, but the group is about to move partitions: nothing may follow
HELD       nothing may be taken until the group says what this worker owns
FAILED     the router is ahead of what is committed: only a new process may go on
"""

from enum import Enum, auto


class Phase(Enum):
    """Where a partition stands."""

    READY = auto()
    ANNOUNCED = auto()
    RUNNING = auto()
    RESTING = auto()
    LAST = auto()
    HELD = auto()
    FAILED = auto()


FOLLOWS: dict[Phase, frozenset[Phase]] = {
    Phase.READY: frozenset({Phase.ANNOUNCED, Phase.RUNNING, Phase.HELD}),
    Phase.ANNOUNCED: frozenset({Phase.RUNNING, Phase.HELD}),
    Phase.RUNNING: frozenset({Phase.READY, Phase.RESTING, Phase.LAST, Phase.FAILED}),
    Phase.RESTING: frozenset({Phase.READY, Phase.HELD}),
    Phase.LAST: frozenset({Phase.HELD, Phase.FAILED}),
    Phase.HELD: frozenset({Phase.READY}),
    Phase.FAILED: frozenset(),
}
"""What may follow each; anything else is a defect."""
