"""The figures: all there from the start, right after every report, and cheap to take."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from schemas.decisions import Assignment, Target
from streams import __version__
from streams.batch_histogram import BatchHistogram
from streams.lane.observer import BatchReport, Observer, RestoreReport
from streams.metrics import RULES, Metrics
from streams.routing import Gauges, Stats
from streams.settings import Settings

PROMISED = {
    "fenliu_events_total": {"topic"},
    "fenliu_assignments_total": {"rule"},
    "fenliu_dead_letters_total": {"code"},
    "fenliu_late_events_total": set(),
    "fenliu_duplicate_messages_total": set(),
    "fenliu_stale_status_total": set(),
    "fenliu_end_to_end_seconds_count": set(),
    "fenliu_batch_events_count": set(),
    "fenliu_transaction_seconds_count": set(),
    "fenliu_input_lag_records": {"topic", "partition"},
    "fenliu_input_lag_seconds": {"partition"},
    "fenliu_progress_age_seconds": {"partition"},
    "fenliu_input_partitions": set(),
    "fenliu_pending_replies": set(),
    "fenliu_busy_agents": set(),
    "fenliu_agents": {"presence"},
    "fenliu_unattended_shops": set(),
    "fenliu_message_pool": set(),
    "fenliu_stranded_buyers_total": set(),
    "fenliu_rescued_buyers_total": set(),
    "fenliu_detection_lag_seconds_count": set(),
    "fenliu_timer_delay_seconds_count": set(),
    "fenliu_restore_seconds_count": set(),
    "fenliu_restored_keys_total": set(),
    "fenliu_state_keys": {"table"},
    "fenliu_partitions": set(),
    "fenliu_rebalances_total": set(),
    "fenliu_fenced_total": set(),
    "fenliu_event_loop_lag_seconds_count": set(),
    "fenliu_build_info": {"version"},
    "fenliu_shop_pending_replies": {"shop", "agent"},
    "fenliu_shop_assignments_total": {"shop", "agent", "rule"},
}
"""Names and labels of docs/reference/metrics.md."""
OF_PARTITIONS_AND_SHOPS = {"fenliu_input_lag_records", "fenliu_input_lag_seconds"}

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def metrics(**settings: object) -> Metrics:
    return Metrics(Settings.load(**settings), lambda shop: {"小美": 3} if shop == "s1" else {})


def batch(partition: int = 0, **fields: object) -> BatchReport:
    given: dict[str, object] = {
        "partition": partition, "events": {}, "decisions": [], "assignments": {}, "dead_letters": {},
        "end_to_end_s": [], "timer_delays_s": [],
        "transaction_s": 0.007, "changed_keys": 0, "stats": Stats(), "gauges": Gauges(), "keys": {},
    }  # fmt: skip
    return BatchReport(**(given | fields))  # type: ignore[arg-type]


async def series(of: Metrics) -> Series:
    text, _ = await of.render()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_text(text.decode())
        for sample in family.samples
    }


def value(of: Series, name: str, **labels: str) -> float:
    return of[name, frozenset(labels.items())]


def names(of: Iterable[tuple[str, frozenset[tuple[str, str]]]]) -> set[str]:
    return {name for name, _ in of}


async def test_everything_without_partition_or_shop_is_there_from_the_start() -> None:
    found = await series(metrics())
    without_labels_to_come = {name for name, labels in PROMISED.items() if not labels & {"partition", "shop"}}
    assert without_labels_to_come <= names(found)
    assert {labels for name, labels in found if name == "fenliu_assignments_total"} == {
        frozenset({("rule", rule)}) for rule in RULES
    }


async def test_names_and_labels_are_those_that_were_promised() -> None:
    observed = metrics(metrics_shops=("s1",))
    observed.input_lag(3, {"buyer-messages": 7}, 1.5)
    observed.progress(3, 0.5)
    observed.batch_committed(batch(decisions=[assignment("s1")]))
    found = await series(observed)
    for name, labels in PROMISED.items():
        assert {frozenset(dict(given)) for each, given in found if each == name} == {frozenset(labels)}, name


async def test_a_batch_is_counted() -> None:
    observed = metrics()
    stats = Stats(
        late_events=1, duplicate_messages=2, stale_statuses=3, stranded_buyers=4, rescued_buyers=5, expired_buyers=6,
        detection_lags_ms=[120_000, 300_000], reply_times_ms=[179_000, 181_000],
    )  # fmt: skip
    observed.batch_committed(
        batch(
            events={"buyer-messages": 5, "agent-status": 2},
            assignments={"group_share": 4},
            dead_letters={"not_json": 1},
            end_to_end_s=[0.004, 0.03],
            timer_delays_s=[1.5, 12.0],
            stats=stats,
        )
    )
    found = await series(observed)
    assert value(found, "fenliu_events_total", topic="buyer-messages") == 5
    assert value(found, "fenliu_assignments_total", rule="group_share") == 4
    assert value(found, "fenliu_dead_letters_total", code="not_json") == 1
    assert value(found, "fenliu_late_events_total") == 1
    assert value(found, "fenliu_duplicate_messages_total") == 2
    assert value(found, "fenliu_stale_status_total") == 3
    assert value(found, "fenliu_stranded_buyers_total") == 4
    assert value(found, "fenliu_rescued_buyers_total") == 5
    assert value(found, "fenliu_expired_buyers_total") == 6
    assert value(found, "fenliu_batch_events_bucket", le="10.0") == 1
    assert value(found, "fenliu_batch_events_sum") == 7
    assert value(found, "fenliu_transaction_seconds_bucket", le="0.005") == 0
    assert value(found, "fenliu_transaction_seconds_bucket", le="0.01") == 1
    assert value(found, "fenliu_end_to_end_seconds_bucket", le="0.005") == 1
    assert value(found, "fenliu_end_to_end_seconds_bucket", le="0.05") == 2
    assert value(found, "fenliu_detection_lag_seconds_sum") == 420
    assert value(found, "fenliu_timer_delay_seconds_bucket", le="2.0") == 1
    assert value(found, "fenliu_timer_delay_seconds_sum") == 13.5
    assert value(found, "fenliu_reply_seconds_bucket", le="180.0") == 1


async def test_gauges_are_those_of_all_partitions_and_end_with_them() -> None:
    observed = metrics()
    agents = {"online": 2, "suspended": 1, "undetected_offline": 0, "offline": 4}
    first = Gauges(pending_replies=5, busy_agents=1, message_pool=2, unattended_shops=1, agents=agents)
    observed.restored(RestoreReport(partition=0, seconds=0.3, records=9, keys={"shops": 2}, gauges=first))
    observed.batch_committed(batch(1, gauges=Gauges(pending_replies=7), keys={"shops": 4, "last_contacts": 30}))
    found = await series(observed)
    assert value(found, "fenliu_pending_replies") == 12
    assert value(found, "fenliu_busy_agents") == 1
    assert value(found, "fenliu_message_pool") == 2
    assert value(found, "fenliu_unattended_shops") == 1
    assert value(found, "fenliu_agents", presence="offline") == 4
    assert value(found, "fenliu_state_keys", table="shops") == 6
    assert value(found, "fenliu_restored_keys_total") == 2
    assert value(found, "fenliu_restore_seconds_sum") == pytest.approx(0.3)

    observed.released(0)
    found = await series(observed)
    assert value(found, "fenliu_pending_replies") == 7
    assert value(found, "fenliu_state_keys", table="shops") == 4
    assert value(found, "fenliu_restored_keys_total") == 2


async def test_the_lag_of_a_partition_ends_with_it() -> None:
    observed = metrics()
    for partition in (0, 1):
        observed.input_lag(partition, {"buyer-messages": 7, "agent-status": 0}, 1.5)
    observed.released(0)
    observed.released(2)
    found = await series(observed)
    assert [labels for name, labels in found if name == "fenliu_input_lag_seconds"] == [frozenset({("partition", "1")})]
    assert value(found, "fenliu_input_lag_records", partition="1", topic="buyer-messages") == 7
    assert ("fenliu_input_lag_records", frozenset({("partition", "0"), ("topic", "buyer-messages")})) not in found


async def test_rebalances_and_fences(tmp_path: Path) -> None:
    observed = metrics(data_dir=tmp_path / "data")
    before = observed.joined
    observed.rebalanced([0, 1, 2])
    observed.rebalanced([1])
    observed.fenced(1)
    found = await series(observed)
    assert (before, observed.joined) == (False, True)
    assert value(found, "fenliu_partitions") == 1
    assert value(found, "fenliu_rebalances_total") == 2
    assert value(found, "fenliu_fenced_total") == 1


async def test_a_fence_is_told_by_the_process_after_it(tmp_path: Path) -> None:
    for _ in range(2):
        metrics(data_dir=tmp_path).fenced(1)
    assert value(await series(metrics(data_dir=tmp_path)), "fenliu_fenced_total") == 2
    assert value(await series(metrics(data_dir=tmp_path, http_port=8081)), "fenliu_fenced_total") == 0
    (tmp_path / "fenliu-8080.fenced").write_text("many", encoding="ascii")
    assert value(await series(metrics(data_dir=tmp_path)), "fenliu_fenced_total") == 0


async def test_a_fence_is_counted_where_nothing_can_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    observed = metrics(data_dir=in_the_way / "data")
    observed.fenced(1)
    assert value(await series(observed), "fenliu_fenced_total") == 1
    assert "cannot be written" in caplog.text


async def test_how_many_partitions_there_are_and_how_old_their_progress_is() -> None:
    observed = metrics()
    report = RestoreReport(partition=0, seconds=0.3, records=9, keys={}, gauges=Gauges(), input_partitions=8)
    observed.restored(report)
    for partition in (0, 1):
        observed.progress(partition, 2.5)
    observed.released(0)
    found = await series(observed)
    assert value(found, "fenliu_input_partitions") == 8
    assert value(found, "fenliu_progress_age_seconds", partition="1") == 2.5
    assert ("fenliu_progress_age_seconds", frozenset({("partition", "0")})) not in found


async def test_the_process_tells_of_itself() -> None:
    found = await series(metrics())
    assert value(found, "process_resident_memory_bytes") > 0
    assert value(found, "process_start_time_seconds") > 0


def assignment(shop: str) -> Assignment:
    return Assignment(
        assignment_id="m", message_id="m", shop_id=shop, buyer_id="b",
        target=Target("agent", "小美"), rule="group_share",
        policy="qianniu", previous_agent_id=None, new_owner=True, target_presence="online", pending_before=0,
        waiting_messages=1, late_ms=0, trace=[], occurred_at_ms=1, decided_at_ms=1, config_version="default",
    )  # fmt: skip


async def test_shops_have_series_of_their_own_only_if_they_are_named() -> None:
    observed = metrics(metrics_shops=("s1",))
    observed.batch_committed(batch(decisions=[assignment("s1"), assignment("s1"), assignment("s2")]))
    found = await series(observed)
    assert value(found, "fenliu_shop_assignments_total", shop="s1", agent="小美", rule="group_share") == 2
    assert value(found, "fenliu_shop_pending_replies", shop="s1", agent="小美") == 3
    assert not any(("shop", "s2") in labels for _, labels in found)

    observed = metrics()
    observed.batch_committed(batch(decisions=[assignment("s1")]))
    assert not any("shop" in dict(labels) for _, labels in await series(observed))


async def test_openmetrics_for_those_who_ask_for_it() -> None:
    observed = metrics()
    text, content_type = await observed.render("application/openmetrics-text; version=1.0.0,text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in parse_openmetrics(text.decode())}  # type: ignore[no-untyped-call]
    assert families["fenliu_end_to_end_seconds"].type == "histogram"
    assert families["fenliu_events"].type == "counter"


async def test_text_for_all_others_and_no_series_for_when_a_counter_was_made() -> None:
    text, content_type = await metrics().render("*/*")
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert f'fenliu_build_info{{version="{__version__}"}} 1.0' in text.decode()
    assert b"_created" not in text


async def test_two_of_them_live_side_by_side() -> None:
    first, second = metrics(), metrics()
    first.rebalanced([1])
    assert value(await series(second), "fenliu_rebalances_total") == 0


async def test_the_lag_of_the_event_loop_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.metrics.LOOP_LAG_EVERY_S", 0.001)
    observed = metrics()
    watch = asyncio.create_task(observed.watch_event_loop())
    async with asyncio.timeout(10):
        while value(await series(observed), "fenliu_event_loop_lag_seconds_count") < 3:
            pass  # rendering lets the event loop turn
    watch.cancel()
    await asyncio.wait([watch])
    assert value(await series(observed), "fenliu_event_loop_lag_seconds_sum") >= 0


@given(st.lists(st.lists(st.floats(0, 1000), max_size=30), max_size=5))
def test_a_batch_histogram_says_what_prometheus_clients_own_says(batches: list[list[float]]) -> None:
    bounds = (0.0, 0.5, 1.0, 10.0, 500.0)
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    histogram = BatchHistogram("h", "a", bounds, ours)
    reference = Histogram("h", "a", buckets=bounds, registry=theirs)
    for values in batches:
        histogram.observe_all(values)
        for each in values:
            reference.observe(each)
    assert _samples(ours) == pytest.approx(_samples(theirs))


def _samples(registry: CollectorRegistry) -> dict[str, float]:
    families = parse_text(generate_latest(registry).decode())
    return {f"{sample.name}{sample.labels}": sample.value for family in families for sample in family.samples}


def test_it_is_an_observer_of_the_lane() -> None:
    observer: Observer = metrics()
    assert observer
