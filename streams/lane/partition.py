"""One partition that this worker owns: its router, its inputs and its writer. It knows no group and no Faust."""

import time
from collections import Counter
from dataclasses import dataclass, field

from schemas.codec import InvalidEvent, Topic, encode
from schemas.decisions import Assignment
from schemas.events import BuyerMessage
from streams.dead_letters import DeadLetter, Header, Record, dead_letter
from streams.lane.checkpoint import CHECKPOINTS, Checkpoint, checkpoint_key, encode_checkpoint
from streams.lane.inputs import Batch, Inputs, Reader
from streams.lane.observer import BatchReport, Decision, PartitionStatus
from streams.lane.takeover import Taken
from streams.lane.tracing import trace_of
from streams.lane.transaction import Outcome
from streams.settings import Settings

NO_HEADERS: list[Header] = []
"""Of most records; nobody appends to it."""

TIMER_DELAY_MS = 1000
"""How far the wall clock must have passed a deadline, and for how long all inputs must have been at their ends (O1)."""


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
                self.arrivals_ms.append(record.timestamp)
                if record.headers and (trace := trace_of(record.headers)):
                    self.traces[id(decision)] = trace


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
        self._letter_box = number % taken.dead_letter_partitions
        self._deadline_ms: int | None = 0
        """When the router's next timer is due; None: it has none; 0: not asked since the last batch."""
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
        return await self._commit(batch, self._route(batch))

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

    def timers_due(self) -> bool:
        """Whether the wall clock has passed a deadline while the inputs were at their ends for long enough (O1)."""
        if self.inputs.idle_s() * 1000 < TIMER_DELAY_MS:
            return False
        if self._deadline_ms == 0:
            self._deadline_ms = self._router.next_deadline_ms()
        return self._deadline_ms is not None and self._deadline_ms <= _now_ms() - TIMER_DELAY_MS

    async def fire_timers(self) -> BatchReport:
        """Fire what the wall clock has passed (O1) and commit it, as a batch without records."""
        decisions = self._router.fire_timers(_now_ms() - TIMER_DELAY_MS)
        batch = Batch(self.number, [], self.inputs.offsets(), self.inputs.last_times)
        return await self._commit(batch, Routed(decisions=decisions))

    async def _commit(self, batch: Batch, routed: Routed) -> BatchReport:
        router = self._router
        self._deadline_ms = 0
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
        now_ms = _now_ms()
        return BatchReport(
            partition=self.number,
            events=dict(routed.events),
            decisions=routed.decisions,
            assignments=dict(rules),
            dead_letters=dict(routed.codes),
            end_to_end_s=[max(0.0, now_ms - arrived_ms) / 1000 for arrived_ms in routed.arrivals_ms],
            transaction_s=transaction_s,
            changed_keys=len(changes),
            stats=router.take_stats(),
            gauges=router.gauges(),
            keys=keys,
        )

    def shop_pending(self, shop_id: str) -> dict[str, int]:
        """Pending replies by account of a shop; none if it has no event here."""
        return dict(self._router.shop_pending(shop_id))

    def status(self) -> PartitionStatus:
        """Where it stands now."""
        # While nothing is under way, markers and gaps after the last record were passed, though no commit says so.
        lag = self.inputs.behind(self._committed if self.busy else self.inputs.offsets())
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
