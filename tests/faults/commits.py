"""How far the group has committed, asked again and again: the progress of a run, and that it never goes back."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.settings import Settings

_ANSWER_WITHIN_S = 10.0


class Commits:
    """The group's committed offsets, as an operator would see them.

    Args:
        settings: where the cluster is and what the group is called.
        every_s: how long to wait between two questions.
        check: called while waiting for progress; raises if waiting is useless.
    """

    def __init__(self, settings: Settings, *, every_s: float = 0.1, check: Callable[[], None]) -> None:
        self._settings = settings
        self._every_s = every_s
        self._check = check
        self._moved_at: dict[int, float] = {}
        self.offsets: dict[TopicPartition, int] = {}
        self.went_back: list[str] = []
        self.may_go_back = False
        """A new coordinator tells older offsets until it knows what its copies have (its high watermark lags; KIP-207
        tells the same of topics' ends). The checkpoints, of the same transactions, say whether anything went back."""
        self.longest_pause_s: dict[int, float] = {}
        """By partition number: the longest time without a commit between two commits."""

    @property
    def total(self) -> int:
        """All offsets together: grows with every event (and marker) that is routed."""
        return sum(self.offsets.values())

    async def run(self) -> None:
        """Ask until cancelled; while no broker answers, nothing is known."""
        while True:
            admin = AIOKafkaAdminClient(**self._settings.kafka_client_kwargs(), request_timeout_ms=5000)
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    await admin.start()
                while True:
                    async with asyncio.timeout(_ANSWER_WITHIN_S):
                        answer = await admin.list_consumer_group_offsets(self._settings.app_id)
                    self._take(answer)
                    await asyncio.sleep(self._every_s)
            except (KafkaError, TimeoutError, OSError):
                await asyncio.sleep(self._every_s)
            finally:
                await admin.close()

    async def reached(self, wanted: Mapping[TopicPartition, int], *, within_s: float) -> None:
        """Wait until every offset is committed, or a later one."""
        await self.until(
            lambda: all(self.offsets.get(tp, 0) >= offset for tp, offset in wanted.items()),
            within_s=within_s,
            what=lambda: ", ".join(
                f"{tp.topic}-{tp.partition}: {self.offsets.get(tp, 0)} of {offset}"
                for tp, offset in sorted(wanted.items())
                if self.offsets.get(tp, 0) < offset
            ),
        )

    async def until(self, condition: Callable[[], bool], *, within_s: float, what: Callable[[], str]) -> None:
        """Wait until a condition on the offsets holds."""
        deadline = time.monotonic() + within_s
        while not condition():
            self._check()
            assert time.monotonic() < deadline, f"not committed within {within_s:.0f} s: {what()}"
            await asyncio.sleep(min(self._every_s, 0.02))

    async def grown_by(self, events: int, *, within_s: float = 90.0) -> None:
        """Wait until so many more events (or markers) are routed than now."""
        goal = self.total + events
        await self.until(lambda: self.total >= goal, within_s=within_s, what=lambda: f"{self.total} of {goal} in all")

    def _take(self, answer: Mapping[TopicPartition, Any]) -> None:
        now = time.monotonic()
        for tp, committed in answer.items():
            offset, before = committed.offset, self.offsets.get(tp, 0)
            if offset < before and not self.may_go_back:
                self.went_back.append(f"{tp.topic}-{tp.partition} was committed to {before}, then to {offset}")
            if offset > before:
                moved_at = self._moved_at.get(tp.partition, now)
                self._moved_at[tp.partition] = now
                pause_s = max(self.longest_pause_s.get(tp.partition, 0.0), now - moved_at)
                self.longest_pause_s[tp.partition] = pause_s
                self.offsets[tp] = offset
