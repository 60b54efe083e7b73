"""`fenliu state rebuild`: state, checkpoint record and offsets of a partition made to agree again. It decides nothing.

From the inputs: the state is what routing them again makes of it. From the changelogs: the state is what they hold, and
only the offsets are in question. Either way it is written under the partition's transactional id: a worker that still
lives is fenced before anything is read, and one that comes in between fences this.
"""

from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaConsumer

from schemas.codec import RANK, Topic
from streams.errors import ClusterError
from streams.kafka_clients import failures_in_words
from streams.lane.checkpoint import Checkpoint
from streams.lane.errors import UntrustedStateError
from streams.lane.restore import restore
from streams.lane.restored import (
    Bounds,
    Held,
    committed_offsets,
    hold,
    input_bounds,
    restore_checkpoint,
    restore_partition,
)
from streams.lane.takeover import state_reader
from streams.lane.transaction import Writer
from streams.lane.writing import difference, write_state
from streams.routing import TABLES, Router
from streams.routing.snapshot import Change
from streams.settings import Settings
from streams.upkeep.inputs import route_again
from streams.upkeep.positions import Positions, resolve

Source = Literal["inputs", "changelogs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do, for every partition."""

    source: Source
    positions: Positions
    accept_missing: bool
    """Go on although records that made the state are gone."""
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What was written of one partition, or would be."""

    partition: int
    events: int
    """Records routed again."""
    written: int
    deleted: int
    kept: int
    """Records of the changelogs that were right already."""
    before: dict[Topic, int | None]
    """What the group had committed."""
    offsets: dict[Topic, int]
    """Where a worker reads on."""

    @property
    def untouched(self) -> bool:
        """Whether the partition was never routed, and there was nothing to do."""
        return not (self.events or self.written or self.deleted or self.kept) and set(self.before.values()) == {None}


@dataclass(slots=True)
class _Found:
    """What a partition has before it is rebuilt."""

    committed: dict[Topic, int | None]
    checkpoint: Checkpoint | None
    bounds: dict[Topic, Bounds]
    held: Held


class Rebuild:
    """One partition's rebuild."""

    def __init__(self, settings: Settings, plan: Plan, partition: int, *, partition_count: int) -> None:
        self._settings = settings
        self._plan = plan
        self._partition = partition
        self._partition_count = partition_count

    async def survey(self) -> None:
        """Raise what `run` would refuse, as far as it shows without reading the tables; writes nothing.

        Raises:
            ClusterError: saying what is missing, and which option accepts it.
        """
        with failures_in_words(self._settings.kafka_client_kwargs()):
            async with state_reader(self._settings) as reader:
                found = await self._find(reader, with_tables=False)
        if not self._nothing_known(found):
            self._target(found)

    async def run(self) -> Rebuilt:
        """Rebuild it; in a dry run only say what would be written.

        Raises:
            FencedError: a worker has taken the partition over meanwhile.
            ClusterError: as `survey`, or a worker has moved the offsets meanwhile.
        """
        with failures_in_words(self._settings.kafka_client_kwargs()):
            if self._plan.dry_run:
                return (await self._prepare())[0]
            writer = Writer(self._settings, self._partition)
            try:
                await writer.fence()
                rebuilt, changes, checkpoint = await self._prepare()
                if not rebuilt.untouched:
                    await write_state(writer, self._settings, self._partition, changes, checkpoint)
                return rebuilt
            finally:
                await writer.stop()

    async def _prepare(self) -> tuple[Rebuilt, list[Change], Checkpoint]:
        async with state_reader(self._settings) as reader:
            found = await self._find(reader, with_tables=True)
            never_routed = self._nothing_known(found) and not found.held
            target = {topic: at.begin for topic, at in found.bounds.items()} if never_routed else self._target(found)
            router, last_times, events, changes = await self._state(reader, found, target)
        deleted = sum(change.value is None for change in changes)
        rebuilt = Rebuilt(
            partition=self._partition,
            events=events,
            written=len(changes) - deleted,
            deleted=deleted,
            kept=len(found.held.keys() - {(change.table, change.key) for change in changes}),
            before=found.committed,
            offsets=target,
        )
        return rebuilt, changes, Checkpoint(offsets=target, last_times=last_times, keys=router.key_counts())

    async def _find(self, reader: AIOKafkaConsumer, *, with_tables: bool) -> _Found:
        settings, partition = self._settings, self._partition
        held: Held = {}
        if with_tables:
            await restore(reader, settings, TABLES, partition, lambda table, key, value: hold(held, table, key, value))
        return _Found(
            committed=await committed_offsets(reader, settings, partition),
            checkpoint=await self._checkpoint(reader),
            bounds=await input_bounds(reader, settings, partition),
            held=held,
        )

    async def _checkpoint(self, reader: AIOKafkaConsumer) -> Checkpoint | None:
        try:
            return (await restore_checkpoint(reader, self._settings, self._partition))[0]
        except UntrustedStateError:
            if self._plan.source == "changelogs":
                raise
            return None  # the inputs know better

    def _nothing_known(self, found: _Found) -> bool:
        """Whether nothing says where to read on: neither the partition nor whoever asked for the rebuild."""
        told = any(self._plan.positions.of(topic) in ("beginning", "end") for topic in RANK)
        return not told and found.checkpoint is None and set(found.committed.values()) == {None}

    def _target(self, found: _Found) -> dict[Topic, int]:
        target = resolve(
            self._settings,
            self._partition,
            self._plan.positions,
            committed=found.committed,
            checkpoint=found.checkpoint,
            bounds=found.bounds,
        )
        if self._plan.source == "inputs" and not self._plan.accept_missing:
            self._require_history(found.bounds, target)
        return target

    def _require_history(self, bounds: dict[Topic, Bounds], target: dict[Topic, int]) -> None:
        missing = [
            f"{self._settings.topic(topic)} 0 to {min(bounds[topic].begin, target[topic]) - 1}"
            for topic in RANK
            if bounds[topic].begin > 0 and target[topic] > 0
        ]
        if missing:
            raise ClusterError(
                f"the records that made the state are not all there; retention has deleted {', '.join(missing)}",
                where=f"partition {self._partition}",
                mend="--accept-missing-history builds the state from what is left: agents and buyers of whom it tells "
                "nothing are forgotten, and shops without a settings record have the defaults",
            )

    async def _state(
        self, reader: AIOKafkaConsumer, found: _Found, target: dict[Topic, int]
    ) -> tuple[Router, dict[Topic, int], int, list[Change]]:
        """The router, its last times, how many events made it, and what to write."""
        if self._plan.source == "inputs":
            routed = await route_again(
                reader,
                self._settings,
                self._partition,
                partition_count=self._partition_count,
                bounds=found.bounds,
                until=target,
            )
            changes = difference(found.held, routed.router.take_changes())
            return routed.router, routed.last_times, routed.events, changes
        restored = await restore_partition(
            reader,
            self._settings,
            self._partition,
            partition_count=self._partition_count,
            router_factory=Router,
            tables=TABLES,
        )
        checkpoint = restored.checkpoint
        self._require_whole(restored.keys, checkpoint)
        last_times = {} if checkpoint is None else self._last_times(checkpoint, target)
        if restored.older is None:
            return restored.router, last_times, 0, []
        restored.router.rewrite()
        return restored.router, last_times, 0, difference(found.held, restored.router.take_changes())

    def _require_whole(self, keys: dict[str, int], checkpoint: Checkpoint | None) -> None:
        if self._plan.accept_missing:
            return
        expected = {} if checkpoint is None else checkpoint.keys
        tables = [table for table in TABLES if keys.get(table, 0) != expected.get(table, 0)]
        if tables:
            raise ClusterError(
                "the changelogs are not whole: "
                + ", ".join(f"{keys.get(t, 0)} keys of {t} instead of {expected.get(t, 0)}" for t in tables),
                where=f"partition {self._partition}",
                mend="fenliu state rebuild --from-inputs builds them anew; --accept-missing-history takes them as they "
                "are",
            )

    @staticmethod
    def _last_times(checkpoint: Checkpoint, target: dict[Topic, int]) -> dict[Topic, int]:
        """A topic that is read on elsewhere tells its times anew."""
        return {topic: at for topic, at in checkpoint.last_times.items() if target[topic] == checkpoint.offsets[topic]}
