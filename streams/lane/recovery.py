"""Faust's table recovery, replaced: the lane restores state, Faust declares the tables and resumes its streams."""

import asyncio
from collections.abc import Set as AbstractSet
from typing import cast

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

from streams.lane.consumer import LaneApp, partition_numbers


class LaneRecovery(Recovery):
    """Gives the assignment to the lane and resumes the streams at once; partitions join in as they are restored."""

    _assigned: AbstractSet[TP] = frozenset()
    _assigned_in = 0
    """The generation of the group."""
    _epoch = 0
    """The lane's `assignment_epoch` then."""

    @property
    def _fenliu(self) -> LaneApp:
        return cast("LaneApp", self.app)

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],  # noqa: ARG002
        newly_assigned: set[TP],  # noqa: ARG002
        generation_id: int = 0,
    ) -> None:
        """The group has moved partitions; an assignment that a later one has overtaken is ignored."""
        if generation_id == self.app.consumer_generation_id:
            self._assigned_in, self._assigned = generation_id, frozenset(assigned)
            self._epoch = self._fenliu.lane.assignment_epoch
            self.signal_recovery_start.set()

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Nothing is buffered here."""

    async def on_stop(self) -> None:
        """Nothing is buffered here."""

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start.wait()):
                return
            self.signal_recovery_start.clear()
            generation, lane = self._assigned_in, self._fenliu.lane
            numbers = partition_numbers(self._assigned, self._fenliu.settings.topic("buyer-messages"))
            try:
                await lane.assign(numbers, epoch=self._epoch)
                await self._resume_streams(generation)
            except Exception as exc:  # noqa: BLE001  without its partitions the worker would idle for ever
                lane.on_failure(exc)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """The lane reads the changelogs."""

    @Service.task
    async def _publish_stats(self) -> None:
        """The lane reports what it restored."""


class LaneTables(TableManager):
    """Declares the tables without subscribing to their changelogs."""

    @property
    def recovery(self) -> LaneRecovery:
        """The lane's recovery instead of Faust's."""
        if self._recovery is None:
            self._recovery = LaneRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return cast("LaneRecovery", self._recovery)

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
