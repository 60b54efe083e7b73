"""Writing a partition's state whole: after it was rebuilt, or when it was found in an older format."""

from collections.abc import Sequence

from streams.lane.checkpoint import CHECKPOINTS, Checkpoint, checkpoint_key, encode_checkpoint
from streams.lane.restored import Held
from streams.lane.transaction import Outcome, Writer
from streams.routing.snapshot import Change
from streams.settings import Settings

TRANSACTION_RECORDS = 50_000
"""A transaction must end within its timeout; this many records take about a second."""


def difference(held: Held, wanted: Sequence[Change]) -> list[Change]:
    """What to write so that the changelogs hold what is wanted, and nothing else, in order of table and key."""
    values = {(table, key): value for table, key, value in wanted if value is not None}
    changes = [Change(table, key, None) for table, key in held.keys() - values.keys()]
    changes += [Change(*at, value) for at, value in values.items() if held.get(at) != value]
    return sorted(changes, key=lambda change: (change.table, change.key))


async def write_state(
    writer: Writer, settings: Settings, partition: int, changes: Sequence[Change], checkpoint: Checkpoint
) -> None:
    """Write changes, the checkpoint record and its offsets, in one transaction if they fit.

    Of several the first one deletes the checkpoint record, and the last one writes the new one: whoever finds the
    partition in between refuses it.

    Raises:
        FenliuError: as `Writer.commit`.
    """
    parts = [changes[at : at + TRANSACTION_RECORDS] for at in range(0, len(changes), TRANSACTION_RECORDS)] or [[]]
    for number, part in enumerate(parts, start=1):
        outcome = Outcome()
        for change in part:
            outcome.to(settings.changelog(change.table), partition).append((change.key, change.value, []))
        value = encode_checkpoint(checkpoint) if number == len(parts) else None
        outcome.to(settings.changelog(CHECKPOINTS), partition).append((checkpoint_key(partition), value, []))
        outcome.consume(partition, {settings.topic(topic): offset for topic, offset in checkpoint.offsets.items()})
        await writer.commit(outcome)
