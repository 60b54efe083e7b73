"""What one thing costs, as `make bench` measured it (docs/performance.md).

Two cores, the broker on one of them: another machine has other figures, and `fenliu plan` takes them as options.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Costs:
    """Figures of one machine, in the units that their names end in."""

    worker_events_s: float = 35_000.0
    """What one worker process routes, all rules on, exactly once: events a second on one core."""
    broker_cpu_s_per_million_events: float = 7.5
    """What the brokers spend for it, the copies of the other brokers not counted."""
    restore_keys_s: float = 116_000.0
    """What a take-over reads out of the changelogs a second."""
    transaction_ms: float = 20.0
    """How long a small transaction takes: a partition makes no more in a second than fit one after another."""

    # Bytes and counts of simulated traffic (`fenliu simulate`), keys and values, before compression.
    events_per_message: float = 1.95
    """Replies, statuses and settings come with the messages."""
    input_bytes_per_event: float = 160.0
    output_bytes_per_event: float = 278.0
    changelog_bytes_per_event: float = 93.0
    """In large batches, as under load: a key that changes twice in a batch is written once."""
    state_bytes_per_buyer: float = 560.0
    """In the memory of a worker."""
    worker_bytes: float = 150e6
    """Of a worker without state."""


MEASURED = Costs()
