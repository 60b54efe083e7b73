"""The worker's figures for Prometheus, `fenliu_*`. They are changed once a batch and rendered when somebody asks.

Everything the lane tells comes through its Observer; nothing here knows Kafka, and no series has an unbounded label.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from schemas.codec import RANK, Topic
from schemas.decisions import Assignment, Presence
from schemas.errors import Code
from streams import __version__
from streams.batch_histogram import BatchHistogram
from streams.dead_letter_log import DeadLetterLog
from streams.fences import FenceCount
from streams.lane.observer import BatchReport, RestoreReport
from streams.routing import TABLES, Gauges
from streams.routing.ladder import PINDUODUO, QIANNIU
from streams.settings import Settings

_RUNGS = dict.fromkeys(name for name, _ in QIANNIU + PINDUODUO)
RULES = (*_RUNGS, "pool_drained", "stranded_rescue", "no_reply")
"""What an assignment's rule can be: the rungs, and what moves a buyer that waits (T4, L7, X2)."""

LOOP_LAG_EVERY_S = 0.25
"""How often the event loop is asked how late it is."""

# From a transaction on an idle machine to the silence after which /healthz gives up, in steps of about two.
_LATENCY_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300)
_TRANSACTION_S = _LATENCY_S[:-2]
_RESTORE_S = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
_LOOP_LAG_S = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 10)
_BATCH_EVENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
# A timer waits a second (O1); within two is promised while nothing is behind, and a backlog holds it while it lasts.
_TIMER_DELAY_S = (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 5, 10, 30, 60, 300, 1800)
# Around the platforms' 2 to 5 minutes; a shop may set up to an hour.
_DETECTION_LAG_S = (0, 30, 60, 120, 150, 180, 210, 240, 270, 300, 600, 1800, 3600)
# 三分钟回复率 is read off the bucket of 180 s.
_REPLY_S = (5, 10, 20, 30, 60, 120, 180, 300, 600, 1800, 3600, 7200)

# Prometheus would get a second series for every counter, with the time it was made.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """Implements the lane's Observer. All calls come from one event loop.

    Args:
        settings: FENLIU_METRICS_SHOPS names the shops that get series of their own.
        shop_pending: pending replies by account of one shop of this worker, asked at a scrape for those shops only.
    """

    def __init__(self, settings: Settings, shop_pending: Callable[[str], Mapping[str, int]] = lambda _: {}) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.joined = False
        """Whether the group has given this worker its partitions, be it none."""
        self._rendering = asyncio.Lock()
        self._shops = frozenset(settings.metrics_shops)
        self._shop_pending = shop_pending
        self._gauges_of: dict[int, Gauges] = {}
        self._keys_of: dict[int, Mapping[str, int]] = {}
        self._fences = FenceCount(settings)
        self._letters = DeadLetterLog()
        self._declare()
        self._declare_gauges()
        ProcessCollector(registry=self.registry)

    def _declare(self) -> None:
        new = self._counter
        self._events = new("events", "Records routed, dead letters among them.", "topic", RANK)
        self._assignments = new("assignments", "Assignments published.", "rule", RULES)
        self._dead_letters = new("dead_letters", "Records that could not be used.", "code", get_args(Code))
        self._late = new("late_events", "Events older than their shop's clock.")
        self._duplicates = new("duplicate_messages", "Messages that had been routed before.")
        self._stale = new("stale_status", "Status events older than the newest of their device or account (L10).")
        self._stranded = new("stranded_buyers", "Buyers who came to an agent after it had left, and still waited (L6).")
        self._rescued = new("rescued_buyers", "Buyers of an agent found offline who were routed again (L7).")
        self._expired = new("expired_buyers", "Buyers forgotten while still waiting (T5).")
        self._no_reply = new("no_reply_moves", "Buyers moved on because nobody answered (X2).")
        self._auto_replies = new("auto_replies", "Automatic answers of a platform (T2).")
        self._rebalances = new("rebalances", "Times that the group gave this worker its partitions anew.")
        self._fenced = new("fenced", "Partitions a successor took while this worker believed to own them.")
        self._fenced.inc(self._fences.count)
        self._restored_keys = new("restored_keys", "Keys of state restored at take-overs.")

        registry = self.registry
        self._end_to_end = BatchHistogram(
            "fenliu_end_to_end_seconds",
            "From the broker's timestamp of a message to its committed assignment.",
            _LATENCY_S,
            registry,
        )
        self._timer_delay = BatchHistogram(
            "fenliu_timer_delay_seconds",
            "From a timer's deadline to the commit of what it did (O1).",
            _TIMER_DELAY_S,
            registry,
        )
        self._detection_lag = BatchHistogram(
            "fenliu_detection_lag_seconds",
            "How long disconnected agents counted as online (L4).",
            _DETECTION_LAG_S,
            registry,
        )
        self._reply = BatchHistogram(
            "fenliu_reply_seconds", "From a buyer's first unanswered message to the answer (X3).", _REPLY_S, registry
        )
        self._batch = self._histogram("batch_events", "Records of a batch.", _BATCH_EVENTS)
        self._transaction = self._histogram("transaction_seconds", "From begin to commit of a batch.", _TRANSACTION_S)
        self._restore = self._histogram("restore_seconds", "From fencing a predecessor to ready.", _RESTORE_S)
        self._loop_lag = self._histogram("event_loop_lag_seconds", "How late the event loop is.", _LOOP_LAG_S)
        self._shop_assignments = Counter(
            "fenliu_shop_assignments",
            "Assignments of the shops of FENLIU_METRICS_SHOPS.",
            ["shop", "agent", "rule"],
            registry=registry,
        )
        Info("fenliu_build", "Which fenliu this is.", registry=registry).info({"version": __version__})

    def _declare_gauges(self) -> None:
        registry = self.registry
        self._pending = Gauge("fenliu_pending_replies", "Buyers who wait for an answer (T1).", registry=registry)
        self._busy = Gauge("fenliu_busy_agents", "Agents above their shop's busy_threshold.", registry=registry)
        self._agents = Gauge("fenliu_agents", "Agents as the router believes.", ["presence"], registry=registry)
        self._unattended = Gauge("fenliu_unattended_shops", "Shops without an available agent.", registry=registry)
        self._pool = Gauge("fenliu_message_pool", "Buyers in message pools (T4).", registry=registry)
        self._state_keys = Gauge("fenliu_state_keys", "Keys of state.", ["table"], registry=registry)
        self._partitions = Gauge("fenliu_partitions", "Partitions of this worker.", registry=registry)
        self._input_partitions = Gauge(
            "fenliu_input_partitions", "Partitions of the input topics; 0 until one was taken over.", registry=registry
        )
        self._progress_age = Gauge(
            "fenliu_progress_age_seconds",
            "Since it last committed, or had nothing to do.",
            ["partition"],
            registry=registry,
        )
        self._lag_records = Gauge(
            "fenliu_input_lag_records", "Records not routed yet.", ["topic", "partition"], registry=registry
        )
        self._lag_s = Gauge(
            "fenliu_input_lag_seconds", "Age of the oldest record not routed yet.", ["partition"], registry=registry
        )
        self._shop_waiting = Gauge(
            "fenliu_shop_pending_replies",
            "Buyers who wait, of the shops of FENLIU_METRICS_SHOPS.",
            ["shop", "agent"],
            registry=registry,
        )
        for presence in get_args(Presence):
            self._agents.labels(presence)
        for table in TABLES:
            self._state_keys.labels(table)

    def _counter(self, name: str, documentation: str, label: str = "", values: Iterable[str] = ()) -> Counter:
        """A counter of which every series is there from the start: rates of a rule's first use are right then."""
        counter = Counter(f"fenliu_{name}", documentation, [label] if label else [], registry=self.registry)
        for value in values:
            counter.labels(value)
        return counter

    def _histogram(self, name: str, documentation: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"fenliu_{name}", documentation, buckets=buckets, registry=self.registry)

    # What the lane tells

    def batch_committed(self, report: BatchReport) -> None:
        """A transaction was committed."""
        for topic, count in report.events.items():
            self._events.labels(topic).inc(count)
        for rule, count in report.assignments.items():
            self._assignments.labels(rule).inc(count)
        for code, count in report.dead_letters.items():
            self._dead_letters.labels(code).inc(count)
        self._letters.note(report.dead_letters)
        stats = report.stats
        self._late.inc(stats.late_events)
        self._duplicates.inc(stats.duplicate_messages)
        self._stale.inc(stats.stale_statuses)
        self._stranded.inc(stats.stranded_buyers)
        self._rescued.inc(stats.rescued_buyers)
        self._expired.inc(stats.expired_buyers)
        self._no_reply.inc(stats.no_reply_moves)
        self._auto_replies.inc(stats.auto_replies)
        self._end_to_end.observe_all(report.end_to_end_s)
        self._timer_delay.observe_all(report.timer_delays_s)
        self._detection_lag.observe_all(lag_ms / 1000 for lag_ms in stats.detection_lags_ms)
        self._reply.observe_all(time_ms / 1000 for time_ms in stats.reply_times_ms)
        self._batch.observe(sum(report.events.values()))
        self._transaction.observe(report.transaction_s)
        self._gauges_of[report.partition] = report.gauges
        self._keys_of[report.partition] = report.keys
        if self._shops:
            for decision in report.decisions:
                if decision.shop_id in self._shops and isinstance(decision, Assignment):
                    self._shop_assignments.labels(decision.shop_id, decision.target.id, decision.rule).inc()

    def restored(self, report: RestoreReport) -> None:
        """A partition was taken over."""
        self._restore.observe(report.seconds)
        self._restored_keys.inc(sum(report.keys.values()))
        if report.input_partitions:
            self._input_partitions.set(report.input_partitions)
        self._gauges_of[report.partition] = report.gauges
        self._keys_of[report.partition] = report.keys

    def rebalanced(self, assigned: Collection[int]) -> None:
        """The group gave this worker its partitions."""
        self.joined = True
        self._rebalances.inc()
        self._partitions.set(len(assigned))

    def released(self, partition: int) -> None:
        """A partition went to another worker: what stands there is that one's to tell."""
        self._gauges_of.pop(partition, None)
        self._keys_of.pop(partition, None)
        with suppress(KeyError):  # it may not have been told yet
            self._lag_s.remove(partition)
        with suppress(KeyError):
            self._progress_age.remove(partition)
        for topic in RANK:
            with suppress(KeyError):
                self._lag_records.remove(topic, partition)

    def fenced(self, partition: int) -> None:  # noqa: ARG002  a label for each partition would tell nothing more
        """A successor took a partition over."""
        self._fenced.inc()
        self._fences.add()

    def input_lag(self, partition: int, records: Mapping[Topic, int], seconds: float) -> None:
        """Once a second and partition."""
        for topic, count in records.items():
            self._lag_records.labels(topic, partition).set(count)
        self._lag_s.labels(partition).set(seconds)
        self._letters.tell()

    def progress(self, partition: int, age_s: float) -> None:
        """Once a second and partition."""
        self._progress_age.labels(partition).set(age_s)

    # What Prometheus asks

    async def watch_event_loop(self) -> None:
        """Measure how late the event loop is, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOP_LAG_EVERY_S
            await asyncio.sleep(LOOP_LAG_EVERY_S)
            self._loop_lag.observe(max(0.0, loop.time() - due))

    async def render(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition and its content type: OpenMetrics if the Accept header asks for it, else text.

        The gauges are added up here, and the text is made in a thread: the event loop has events to route.
        """
        encode, content_type = choose_encoder(accept)
        async with self._rendering:
            self._add_up()
            return await asyncio.to_thread(encode, self.registry), content_type

    def _add_up(self) -> None:
        gauges = self._gauges_of.values()
        self._pending.set(sum(each.pending_replies for each in gauges))
        self._busy.set(sum(each.busy_agents for each in gauges))
        self._unattended.set(sum(each.unattended_shops for each in gauges))
        self._pool.set(sum(each.message_pool for each in gauges))
        for presence in get_args(Presence):
            self._agents.labels(presence).set(sum(each.agents[presence] for each in gauges))
        for table in TABLES:
            self._state_keys.labels(table).set(sum(keys.get(table, 0) for keys in self._keys_of.values()))
        self._shop_waiting.clear()
        for shop in self._shops:
            for agent, count in self._shop_pending(shop).items():
                self._shop_waiting.labels(shop, agent).set(count)
