"""What the lane tells whoever watches it: once a batch, a restore or a rebalance, never once an event.

Metrics and health implement and read these; the lane knows nothing of Prometheus or HTTP. All calls come from the
event loop that commits, and must return quickly.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from schemas.codec import Topic
from schemas.decisions import AgentPresence, Assignment
from streams.routing.stats import Gauges, Stats

Decision = Assignment | AgentPresence


@dataclass(slots=True, kw_only=True)
class BatchReport:
    """One committed transaction of one partition."""

    partition: int
    events: dict[Topic, int]
    """Records applied, dead letters among them, by topic."""
    decisions: list[Decision]
    """What was published, in order."""
    assignments: dict[str, int]
    """How many of the decisions are assignments, by rule."""
    dead_letters: dict[str, int]
    """By code (section 9)."""
    end_to_end_s: list[float]
    """For each message assigned on arrival: from its broker timestamp to this commit, in seconds."""
    timer_delays_s: list[float]
    """For each timer that fired: from its deadline (O1) to this commit, in seconds."""
    transaction_s: float
    """From begin to commit, in seconds."""
    changed_keys: int
    stats: Stats
    gauges: Gauges
    keys: dict[str, int]
    """Live keys of each state table of the partition, after this batch."""


@dataclass(slots=True, kw_only=True)
class RestoreReport:
    """A partition was taken over and may route now."""

    partition: int
    seconds: float
    """From fencing the previous owner to ready."""
    records: int
    """Changelog records read, superseded ones among them."""
    keys: dict[str, int]
    """Live keys of each state table."""
    gauges: Gauges
    input_partitions: int = 0
    """How many the input topics have; 0: not known."""


@dataclass(slots=True, kw_only=True)
class PartitionStatus:
    """Where an assigned partition stands; times are seconds of `time.monotonic()`."""

    partition: int
    ready: bool
    """False while it is being taken over."""
    positions: dict[Topic, int] = field(default_factory=dict)
    """Committed next offset of each input."""
    lag_records: dict[Topic, int] = field(default_factory=dict)
    """Records on the broker that are not committed yet; gaps and transaction markers count."""
    lag_s: float = 0.0
    """Age of the oldest fetched record that is not committed yet, by its broker timestamp."""
    progress_at: float = 0.0
    """When it last committed, or last had nothing to do."""


class Observer(Protocol):
    """Implemented by the metrics; every call is per batch, take-over or rebalance, or once a second."""

    def batch_committed(self, report: BatchReport) -> None:
        """A transaction was committed."""

    def restored(self, report: RestoreReport) -> None:
        """A partition was taken over."""

    def rebalanced(self, assigned: Collection[int]) -> None:
        """The group gave this worker these partitions; those not named before start to be restored."""

    def released(self, partition: int) -> None:
        """A partition went to another worker: its gauges end."""

    def fenced(self, partition: int) -> None:
        """A successor took the partition over while this worker still believed to own it; the process ends."""

    def input_lag(self, partition: int, records: Mapping[Topic, int], seconds: float) -> None:
        """Once a second and partition: records behind by topic, and the age of the oldest in seconds."""

    def progress(self, partition: int, age_s: float) -> None:
        """Once a second and partition: seconds since it last committed, or had nothing to do."""


class Unobserved:
    """An observer that lets everything pass."""

    def batch_committed(self, report: BatchReport) -> None:
        """Let it pass."""

    def restored(self, report: RestoreReport) -> None:
        """Let it pass."""

    def rebalanced(self, assigned: Collection[int]) -> None:
        """Let it pass."""

    def released(self, partition: int) -> None:
        """Let it pass."""

    def fenced(self, partition: int) -> None:
        """Let it pass."""

    def input_lag(self, partition: int, records: Mapping[Topic, int], seconds: float) -> None:
        """Let it pass."""

    def progress(self, partition: int, age_s: float) -> None:
        """Let it pass."""
