"""Faust's table recovery, replaced: the lane restores state, and Faust only declares the tables and resumes its streams."""

import asyncio
from collections.abc import Set as AbstractSet

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

from streams.lane.consumer import partition_numbers


class LaneRecovery(Recovery):  # type: ignore[misc]
    """Gives the assignment to the lane and resumes the streams at once; partitions join in as they are restored."""

    _generation = 0
    _assigned: AbstractSet[TP] = frozenset()

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],  # noqa: ARG002
        newly_assigned: set[TP],  # noqa: ARG002
        generation_id: int = 0,
    ) -> None:
        """The group has moved partitions; an assignment that a later one has overtaken is ignored."""
        if generation_id == self.app.consumer_generation_id:
            self._generation, self._assigned = generation_id, frozenset(assigned)
            self.signal_recovery_start.set()

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Nothing is buffered here."""

    async def on_stop(self) -> None:
        """Nothing is buffered here."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start):
                return
            self.signal_recovery_start.clear()
            generation, assigned = self._generation, self._assigned
            await self.app.lane.assign(partition_numbers(assigned, self.app.settings.topic("buyer-messages")))
            await self._resume_streams(generation)

    @Service.task  # type: ignore[untyped-decorator]
    async def _slurp_changelogs(self) -> None:
        """The lane reads the changelogs."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _publish_stats(self) -> None:
        """The lane reports what it restored."""


class LaneTables(TableManager):  # type: ignore[misc]
    """Declares the tables without subscribing to their changelogs."""

    @property
    def recovery(self) -> LaneRecovery:
        """The lane's recovery instead of Faust's."""
        if self._recovery is None:
            self._recovery = LaneRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Start the tables, without Faust's second of waiting for others to be declared."""
        await self._update_channels()
        await self.recovery.start()

    async def _update_channels(self) -> None:
        self._tables_finalized.set()
        for table in self.values():
            await asyncio.sleep(0)
            await table.maybe_start()
        self._tables_registered.set()
