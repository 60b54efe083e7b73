"""One partition that this worker owns: its router, its inputs and its writer. It knows no group and no Faust."""

import time
from collections import Counter

from schemas.codec import InvalidEvent, Topic, encode
from schemas.decisions import Assignment
from schemas.events import BuyerMessage
from streams.dead_letters import dead_letter
from streams.lane.checkpoint import CHECKPOINTS, Checkpoint, checkpoint_key, encode_checkpoint
from streams.lane.inputs import Batch, Inputs, Item, Reader
from streams.lane.observer import BatchReport, Decision, PartitionStatus
from streams.lane.takeover import Taken
from streams.lane.transaction import Outcome
from streams.settings import Settings

TIMER_DELAY_MS = 1000
"""How far the wall clock must have passed a deadline, and for how long all inputs must have been at their ends (O1)."""


class Partition:
    """Routes batches of one partition, one after another, and commits each.

    `busy` is true from the moment a batch is announced to the agent until it is committed; `announced` is that batch.
    """

    def __init__(self, number: int, settings: Settings, taken: Taken) -> None:
        self.number = number
        self._settings = settings
        self._router = taken.router
        self._writer = taken.writer
        self._committed = dict(taken.offsets)
        self._last_times = dict(taken.last_times)
        self._dead_letter_partitions: int | None = None
        self.inputs = Inputs(
            number,
            taken.offsets,
            taken.last_times,
            reader=Reader(max_clock_skew_ms=settings.max_clock_skew_s * 1000, partition_count=taken.partition_count),
            max_events=settings.max_batch_events,
        )
        self.announced: Batch | None = None
        self.running = False
        self.next_at = 0.0
        self._progress_at = time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether a batch is announced or under way."""
        return self.running or self.announced is not None

    def rewind(self) -> None:
        """Read again from what is committed: what was announced to the agent may never come to it."""
        self.announced = None
        self.inputs.reset(self._committed, self._last_times)

    async def process(self, batch: Batch) -> BatchReport:
        """Route a batch and commit what came out of it.

        Raises:
            FenliuError: if it could not be committed; the router is then ahead of what is committed, and this process
                must end.
        """
        self.next_at = time.monotonic() + self._settings.min_batch_interval_ms / 1000
        decisions: list[Decision] = []
        arrivals_ms: list[int] = []
        events: Counter[Topic] = Counter()
        letters: Counter[str] = Counter()
        outcome = Outcome()
        apply = self._router.apply
        for topic, item in batch.items:
            events[topic] += 1
            event = item.event
            if isinstance(event, InvalidEvent):
                letters[event.code] += 1
                await self._add_dead_letter(outcome, item, event)
                continue
            decided = apply(event)
            if decided:
                decisions += decided
                if isinstance(event, BuyerMessage):
                    arrivals_ms += [
                        item.record.timestamp
                        for decision in decided
                        if isinstance(decision, Assignment) and decision.message_id == event.event_id
                    ]
        return await self._commit(batch, outcome, decisions, dict(events), dict(letters), arrivals_ms)

    def timers_due(self) -> bool:
        """Whether the wall clock has passed a deadline while the inputs were at their ends for long enough (O1)."""
        if self.inputs.idle_s() * 1000 < TIMER_DELAY_MS:
            return False
        deadline_ms = self._router.next_deadline_ms()
        return deadline_ms is not None and deadline_ms <= _now_ms() - TIMER_DELAY_MS

    async def fire_timers(self) -> BatchReport:
        """Fire what the wall clock has passed (O1) and commit it, as a batch without records."""
        decisions = self._router.fire_timers(_now_ms() - TIMER_DELAY_MS)
        batch = Batch(self.number, [], self.inputs.offsets(), self.inputs.last_times)
        return await self._commit(batch, Outcome(), decisions, {}, {}, [])

    async def _commit(
        self,
        batch: Batch,
        outcome: Outcome,
        decisions: list[Decision],
        events: dict[Topic, int],
        letters: dict[str, int],
        arrivals_ms: list[int],
    ) -> BatchReport:
        settings, router = self._settings, self._router
        rules: Counter[str] = Counter()
        assignments, presence = settings.topic("assignments"), settings.topic("agent-presence")
        for decision in decisions:
            if isinstance(decision, Assignment):
                rules[decision.rule] += 1
                topic = assignments
            else:
                topic = presence
            outcome.add(topic, self.number, decision.shop_id.encode(), encode(decision))
        changes = router.take_changes()
        for change in changes:
            outcome.add(settings.changelog(change.table), self.number, change.key, change.value)
        keys = router.key_counts()
        checkpoint = Checkpoint(offsets=batch.offsets, last_times=batch.last_times, keys=keys)
        outcome.add(
            settings.changelog(CHECKPOINTS), self.number, checkpoint_key(self.number), encode_checkpoint(checkpoint)
        )
        outcome.consume(self.number, {settings.topic(topic): offset for topic, offset in batch.offsets.items()})
        transaction_s = await self._writer.commit(outcome)
        self._committed, self._last_times = batch.offsets, batch.last_times
        self._progress_at = time.monotonic()
        now_ms = _now_ms()
        return BatchReport(
            partition=self.number,
            events=events,
            decisions=decisions,
            assignments=dict(rules),
            dead_letters=letters,
            end_to_end_s=[max(0.0, now_ms - arrived_ms) / 1000 for arrived_ms in arrivals_ms],
            transaction_s=transaction_s,
            changed_keys=len(changes),
            stats=router.take_stats(),
            gauges=router.gauges(),
            keys=keys,
        )

    async def _add_dead_letter(self, outcome: Outcome, item: Item, error: InvalidEvent) -> None:
        topic = self._settings.topic("dead-letters")
        if self._dead_letter_partitions is None:
            self._dead_letter_partitions = await self._writer.partition_count(topic)
        letter = dead_letter(item.record, error)
        outcome.add(topic, self.number % self._dead_letter_partitions, letter.key, letter.value, letter.headers)

    def status(self) -> PartitionStatus:
        """Where it stands now."""
        lag = self.inputs.behind(self._committed)
        now = time.monotonic()
        if not any(lag.values()):
            self._progress_at = now
        oldest_ms = self.inputs.oldest_timestamp_ms()
        return PartitionStatus(
            partition=self.number,
            ready=True,
            positions=dict(self._committed),
            lag_records=lag,
            lag_s=0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000),
            progress_at=self._progress_at,
        )

    async def stop(self) -> None:
        """Close the writer."""
        await self._writer.stop()


def _now_ms() -> int:
    return int(time.time() * 1000)
