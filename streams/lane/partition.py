"""One partition that this worker owns: its router, its inputs and its writer. It knows no group and no Faust."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.codec import InvalidEvent, Topic, encode
from schemas.decisions import Assignment
from schemas.events import BuyerMessage
from streams.dead_letters import DeadLetter, Header, Record, dead_letter
from streams.errors import DefectError
from streams.lane.checkpoint import CHECKPOINTS, Checkpoint, checkpoint_key, encode_checkpoint
from streams.lane.inputs import Batch, Inputs, Reader
from streams.lane.observer import BatchReport, Decision, PartitionStatus
from streams.lane.phase import FOLLOWS, Phase
from streams.lane.takeover import Taken
from streams.lane.tracing import trace_of
from streams.lane.transaction import Outcome
from streams.settings import Settings

NO_HEADERS: list[Header] = []
"""Of most records; nobody appends to it."""

TIMER_DELAY_MS = 1000
"""How far the watermark must have passed a deadline (O1): events that happened before it are still on their way."""


@dataclass(slots=True)
class Routed:
    """What came out of applying a batch."""

    decisions: list[Decision] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    """Dead letters by code."""
    events: Counter[Topic] = field(default_factory=Counter)
    arrivals_ms: list[int] = field(default_factory=list)
    """The broker timestamp of each message that was assigned on arrival."""
    traces: dict[int, list[Header]] = field(default_factory=dict)
    """Headers of the assignments of messages that came with a trace, by identity: equal decisions are not the same."""

    def note_arrival(self, record: Record, message: BuyerMessage, decided: list[Decision]) -> None:
        """The message's own assignment has its arrival time and, if it came with one, its trace."""
        for decision in decided:
            if isinstance(decision, Assignment) and decision.message_id == message.event_id:
                if record.timestamp >= 0:  # very old producers set none
                    self.arrivals_ms.append(record.timestamp)
                if record.headers and (trace := trace_of(record.headers)):
                    self.traces[id(decision)] = trace


class Partition:
    """Routes batches of one partition, one after another, and commits each. `phase` says what it is doing."""

    def __init__(self, number: int, settings: Settings, taken: Taken) -> None:
        self.number = number
        self._settings = settings
        self._router = taken.router
        self._writer = taken.writer
        self._committed = dict(taken.offsets)
        self._last_times = dict(taken.last_times)
        self._letter_box = number % taken.dead_letter_partitions
        self.inputs = Inputs(
            number,
            taken.offsets,
            taken.last_times,
            reader=Reader(max_clock_skew_ms=settings.max_clock_skew_s * 1000, partition_count=taken.partition_count),
            max_events=settings.max_batch_events,
        )
        self.phase = Phase.HELD
        self._batch: Batch | None = None
        """What is announced or under way."""
        self._rests_until = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self._progress_at = time.monotonic()

    def _enter(self, phase: Phase) -> None:
        if phase not in FOLLOWS[self.phase]:
            raise DefectError(
                f"{phase.name} cannot follow {self.phase.name}", where=f"partition {self.number}", mend="report it"
            )
        self.phase = phase

    # What may be done next

    def announce(self) -> Batch | None:
        """Take the next batch of records for the agent's stream, if there is one and nothing else is under way."""
        if self.phase is not Phase.READY:
            return None
        batch = self.inputs.take()
        if batch is not None:
            self._enter(Phase.ANNOUNCED)
            self._batch = batch
        return batch

    def accept(self, batch: Batch) -> bool:
        """Whether a batch that came out of the agent's stream may run: not if a rebalance has overtaken it."""
        if self.phase is not Phase.ANNOUNCED or self._batch is not batch:
            return False
        self._enter(Phase.RUNNING)
        return True

    def due(self) -> Batch | None:
        """A batch without records, to be run at once, if timers are due by the watermark and nothing is under way."""
        if self.phase is not Phase.READY:
            return None
        watermark_ms, deadline_ms = self.inputs.watermark_ms(), self._router.next_deadline_ms()
        if watermark_ms is None or deadline_ms is None or deadline_ms > watermark_ms - TIMER_DELAY_MS:
            return None
        self._enter(Phase.RUNNING)
        self._batch = self.inputs.nothing()
        return self._batch

    def done(self, wake: Callable[[], object]) -> None:
        """A batch is committed: the next may begin, or `wake` is called when it may."""
        self._batch = None
        if self.phase is Phase.LAST:
            self._enter(Phase.HELD)
            return
        rest_s = self._rests_until - time.monotonic()
        if rest_s <= 0:
            self._enter(Phase.READY)
            return
        self._enter(Phase.RESTING)
        self._rest = asyncio.get_running_loop().call_later(rest_s, self._rested, wake)

    def _rested(self, wake: Callable[[], object]) -> None:
        self._enter(Phase.READY)
        wake()

    def fail(self) -> None:
        """A batch could not be committed."""
        self._enter(Phase.FAILED)

    def hold(self) -> None:
        """Begin nothing new; what was announced is dropped, and read again."""
        if self._rest is not None:
            self._rest.cancel()
        if self.phase is Phase.RUNNING:
            self._enter(Phase.LAST)
        elif self.phase in {Phase.READY, Phase.ANNOUNCED, Phase.RESTING}:
            self._enter(Phase.HELD)

    def resume(self) -> None:
        """The group has left this partition here: read again from what is committed."""
        if self.phase is Phase.FAILED:
            return
        self._enter(Phase.READY)
        self._batch = None
        self.inputs.reset(self._committed, self._last_times)

    # What a batch does

    async def process(self, batch: Batch) -> BatchReport:
        """Route a batch, fire the timers that are due after it, and commit what came out.

        Raises:
            FenliuError: if it could not be committed; the router is then ahead of what is committed, and this process
                must end.
        """
        self._rests_until = time.monotonic() + self._settings.min_batch_interval_ms / 1000
        routed = self._route(batch)
        if batch.watermark_ms is not None:
            routed.decisions += self._router.fire_timers(batch.watermark_ms - TIMER_DELAY_MS)
        return await self._commit(batch, routed)

    def _route(self, batch: Batch) -> Routed:
        """Apply a batch; what cannot be used becomes dead letters."""
        routed = Routed()
        apply, decisions = self._router.apply, routed.decisions
        for topic, run in batch.runs:
            routed.events[topic] += len(run)
            for record, event in run:
                if isinstance(event, InvalidEvent):
                    routed.codes[event.code] += 1
                    routed.letters.append(dead_letter(record, event))
                    continue
                decided = apply(event)
                if decided:
                    decisions += decided
                    if isinstance(event, BuyerMessage):
                        routed.note_arrival(record, event, decided)
        return routed

    async def _commit(self, batch: Batch, routed: Routed) -> BatchReport:
        router = self._router
        rules: Counter[str] = Counter()
        outcome, settings, number = Outcome(), self._settings, self.number
        assignments = outcome.to(settings.topic("assignments"), number)
        presence = outcome.to(settings.topic("agent-presence"), number)
        traces = routed.traces
        for decision in routed.decisions:
            headers = traces.get(id(decision), NO_HEADERS) if traces else NO_HEADERS
            record = decision.shop_id.encode(), encode(decision), headers
            if isinstance(decision, Assignment):
                rules[decision.rule] += 1
                assignments.append(record)
            else:
                presence.append(record)
        outcome.to(settings.topic("dead-letters"), self._letter_box).extend(routed.letters)
        changes, keys = router.take_changes(), router.key_counts()
        changelogs = {table: outcome.to(settings.changelog(table), number) for table in keys}
        for table, key, value in changes:
            changelogs[table].append((key, value, NO_HEADERS))
        checkpoint = Checkpoint(offsets=batch.offsets, last_times=batch.last_times, keys=keys)
        outcome.to(settings.changelog(CHECKPOINTS), number).append(
            (checkpoint_key(number), encode_checkpoint(checkpoint), NO_HEADERS)
        )
        outcome.consume(number, {settings.topic(topic): offset for topic, offset in batch.offsets.items()})
        transaction_s = await self._writer.commit(outcome)
        self._committed, self._last_times = batch.offsets, batch.last_times
        self._progress_at = time.monotonic()
        now_ms, stats = _now_ms(), router.take_stats()
        return BatchReport(
            partition=self.number,
            events=dict(routed.events),
            decisions=routed.decisions,
            assignments=dict(rules),
            dead_letters=dict(routed.codes),
            end_to_end_s=[max(0.0, now_ms - arrived_ms) / 1000 for arrived_ms in routed.arrivals_ms],
            timer_delays_s=[max(0.0, now_ms - deadline_ms) / 1000 for deadline_ms in stats.fired_deadlines_ms],
            transaction_s=transaction_s,
            changed_keys=len(changes),
            stats=stats,
            gauges=router.gauges(),
            keys=keys,
        )

    def shop_pending(self, shop_id: str) -> dict[str, int]:
        """Pending replies by account of a shop; none if it has no event here."""
        return dict(self._router.shop_pending(shop_id))

    def status(self) -> PartitionStatus:
        """Where it stands now."""
        # While nothing is under way, markers and gaps after the last record were passed, though no commit says so.
        lag = self.inputs.behind(self.inputs.offsets() if self._batch is None else self._committed)
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
