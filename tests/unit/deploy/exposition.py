"""What a worker exposes: every metric with its labels and their values, read from a live registry."""

import asyncio
from functools import cache
from typing import get_args

from prometheus_client.parser import text_string_to_metric_families

from schemas.codec import RANK, Topic
from schemas.decisions import Assignment, Target
from streams.lane.observer import BatchReport
from streams.metrics import Metrics
from streams.routing import Gauges, Stats
from streams.settings import Settings

SHOP = "shop-1"

Labels = dict[str, set[str]]
"""The values that a metric's labels have."""


@cache
def exposed() -> dict[str, Labels]:
    """The labels of each series by its name, once a worker has a partition and a watched shop an assignment."""
    metrics = Metrics(Settings.load(metrics_shops=(SHOP,)), lambda _: {"agent-1": 1})
    topics: tuple[Topic, ...] = tuple(RANK)
    assert set(topics) == set(get_args(Topic))
    metrics.rebalanced([0])
    metrics.input_lag(0, dict.fromkeys(topics, 0), 0.0)
    metrics.progress(0, 0.0)
    metrics.batch_committed(
        BatchReport(
            partition=0, events={}, decisions=[_assignment()], assignments={}, dead_letters={}, end_to_end_s=[0.01],
            timer_delays_s=[1.5], transaction_s=0.01, changed_keys=1, stats=Stats(), gauges=Gauges(), keys={},
        )
    )  # fmt: skip
    text, _ = asyncio.run(metrics.render())
    found: dict[str, Labels] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


def _assignment() -> Assignment:
    return Assignment(
        assignment_id="m", message_id="m", shop_id=SHOP, buyer_id="b",
        target=Target("agent", "agent-1"), rule="group_share",
        policy="qianniu", previous_agent_id=None, new_owner=True, target_presence="online", pending_before=0,
        waiting_messages=1, late_ms=0, trace=[], occurred_at_ms=1, decided_at_ms=1, config_version="default",
    )  # fmt: skip
