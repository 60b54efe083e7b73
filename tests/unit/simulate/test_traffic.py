"""What the traffic holds: its order, its amount, its hours, and everything that the router's rules ask about."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from schemas.codec import Event, decode_line
from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from streams.routing import Router
from streams.simulate import OptionsError, Record, SimulationOptions, simulate
from streams.simulate.options import BEIJING_OFFSET_MS, HOUR_MS

pytestmark = pytest.mark.slow


def _events(records: Iterable[Record]) -> list[Event]:
    return [decode_line(record.value or b"")[1] for record in records]


@pytest.fixture(scope="module")
def day() -> list[Event]:
    """A day of ten shops, one of each kind, from half past eight in the morning."""
    return _events(simulate(SimulationOptions(shops=10, rate=0.8, hours=24)))


def test_records_come_in_order_of_time_and_within_the_run() -> None:
    options = SimulationOptions(shops=4, rate=5, hours=1)
    times = [record.at_ms for record in simulate(options)]
    assert times == sorted(times)
    assert options.start_ms == times[0]
    assert times[-1] < options.end_ms + 100


def test_a_record_says_what_its_event_says() -> None:
    for record in simulate(SimulationOptions(shops=10, rate=2, hours=0.5)):
        topic, event = decode_line(record.value or b"")
        assert (record.topic, record.at_ms, record.key) == (topic, event.occurred_at_ms, event.shop_id.encode())


def test_event_ids_are_never_used_twice(day: list[Event]) -> None:
    assert max(Counter(event.event_id for event in day).values()) == 1


@pytest.mark.parametrize(
    "options",
    [
        SimulationOptions(shops=3, rate=5, hours=1),
        SimulationOptions(shops=20, rate=20, hours=0.5, replies="sticky"),
        SimulationOptions(shops=1, rate=0.05, hours=96, agents=1, buyers=30),
    ],
)
def test_the_rate_is_the_mean_of_buyer_messages(options: SimulationOptions) -> None:
    messages = sum(record.topic == "buyer-messages" for record in simulate(options))
    assert messages == pytest.approx(options.rate * options.span_ms / 1000, rel=0.12)


def test_buyers_write_most_in_the_late_morning_and_in_the_evening() -> None:
    hours: Counter[int] = Counter()
    for record in simulate(SimulationOptions(shops=4, rate=1, hours=24, replies="sticky")):
        if record.topic == "buyer-messages" and record.shop == 3:  # the one that takes no part in the promotion
            hours[(record.at_ms + BEIJING_OFFSET_MS) // HOUR_MS % 24] += 1
    assert {hour for hour, _ in hours.most_common(4)} == {10, 11, 20, 21}
    assert min(hours[10], hours[11]) > 1.2 * hours[15] > 10 * hours[4]


def test_a_promotion_multiplies_the_traffic_at_once() -> None:
    minutes: Counter[int] = Counter()
    options = SimulationOptions(shops=3, rate=5, hours=2, replies="sticky")
    for record in simulate(options):
        if record.topic == "buyer-messages":
            minutes[(record.at_ms - options.start_ms) // 60_000] += 1
    before, after = sum(minutes[m] for m in range(80, 90)), sum(minutes[m] for m in range(90, 100))
    assert after > 2 * before


@pytest.mark.parametrize(
    "seen",
    [
        lambda event: isinstance(event, AgentStatus) and event.device_id == "pc-2",
        lambda event: isinstance(event, AgentStatus) and event.device == "mobile" and event.status == "online",
        lambda event: isinstance(event, AgentStatus) and event.status == "logged_out",
        lambda event: isinstance(event, AgentStatus) and event.status == "suspended",
        lambda event: isinstance(event, AgentReply) and event.kind == "transfer",
        lambda event: isinstance(event, AgentReply) and event.kind == "close",
        lambda event: isinstance(event, AgentReply) and event.kind == "auto",
        lambda event: isinstance(event, BuyerMessage) and event.wants_human,
        lambda event: isinstance(event, BuyerMessage) and event.addressed_agent_id is not None,
        lambda event: isinstance(event, BuyerMessage) and event.order_state is not None,
        lambda event: isinstance(event, BuyerMessage) and event.order_state is None,
        lambda event: isinstance(event, BuyerMessage) and event.entry_page is not None,
    ],
)
def test_a_day_holds_everything_that_the_rules_ask_about(day: list[Event], seen: Callable[[Event], bool]) -> None:
    assert sum(seen(event) for event in day) >= 5


def test_network_drops_end_before_the_lag_and_after_it(day: list[Event]) -> None:
    gone: dict[tuple[str, str], int] = {}
    lengths_s = []
    for event in day:
        if isinstance(event, AgentStatus) and event.device == "pc" and not event.device_id:
            agent = (event.shop_id, event.agent_id)
            if event.status == "offline":
                gone[agent] = event.occurred_at_ms
            elif event.status == "online" and agent in gone:
                lengths_s.append((event.occurred_at_ms - gone.pop(agent)) / 1000)
    assert sum(length < 60 for length in lengths_s) > 20
    assert sum(length > 300 for length in lengths_s) > 20


def test_buyers_return_within_72_hours_and_after_them() -> None:
    last: dict[str, int] = {}
    gaps_h = []
    for record in simulate(SimulationOptions(shops=1, rate=0.02, hours=14 * 24, buyers=200, replies="sticky")):
        if record.topic == "buyer-messages":
            event = decode_line(record.value or b"")[1]
            assert isinstance(event, BuyerMessage)
            gaps_h.append((record.at_ms - last.get(event.buyer_id, record.at_ms)) / HOUR_MS)
            last[event.buyer_id] = record.at_ms
    assert sum(1 < gap <= 72 for gap in gaps_h) > 50
    assert sum(gap > 72 for gap in gaps_h) > 50


def test_the_agent_whom_the_router_assigns_answers(day: list[Event]) -> None:
    router = Router()
    owners: dict[tuple[str, str], str] = {}
    rules: Counter[str] = Counter()
    by_owner: Counter[bool] = Counter()
    for event in day:
        for decision in router.apply(event):
            if isinstance(decision, Assignment):
                owners[decision.shop_id, decision.buyer_id] = decision.target.id
                rules[decision.rule] += 1
        if isinstance(event, AgentReply) and event.kind == "reply":
            by_owner[owners[event.shop_id, event.buyer_id] == event.agent_id] += 1
        if isinstance(event, AgentReply) and event.to_agent_id is not None:
            owners[event.shop_id, event.buyer_id] = event.to_agent_id
    assert by_owner[True] > 1000 * by_owner[False]
    # Every way that a message can go in a day of believable traffic.
    assert rules.keys() >= {
        "addressed_agent", "addressed_agent_offline", "dedicated_agent", "group_fallback", "group_robot", "group_share",
        "leave_message", "no_reply", "offline_receiver", "page_share", "pool_drained", "queue", "random_online",
        "recent_contact", "robot_first", "robot_when_unattended", "stranded_rescue",
    }  # fmt: skip


def test_the_night_without_agents_fills_the_pool_and_the_morning_drains_it(day: list[Event]) -> None:
    router = Router()
    pool: dict[int, int] = {}
    for event in day:
        router.apply(event)
        pool[(event.occurred_at_ms + BEIJING_OFFSET_MS) // HOUR_MS % 24] = router.gauges().message_pool
    assert pool[15] < 20 < pool[7]


def test_what_cannot_be_simulated_is_refused_with_the_option_and_how_to_mend_it() -> None:
    with pytest.raises(OptionsError, match=r"--rate: .*\n.*0.001 to"):
        SimulationOptions(rate=0)
    with pytest.raises(OptionsError, match="--start"):
        SimulationOptions(start_ms=4_102_444_800_000)


@pytest.mark.parametrize(
    "options",
    [
        SimulationOptions(shops=10, agents=1, buyers=1, rate=1, hours=2),
        SimulationOptions(shops=10, agents=2, buyers=7, rate=50, hours=0.05),
        SimulationOptions(shops=3, agents=50, buyers=9, rate=0.1, hours=30),
        SimulationOptions(shops=3, rate=0.001, hours=0.01),
        SimulationOptions(shops=2, rate=2, hours=1, start_ms=86_400_000),
        SimulationOptions(shops=2, rate=2000, hours=0.02, replies="sticky"),
    ],
)
def test_whatever_is_asked_for_is_valid_and_in_order(options: SimulationOptions) -> None:
    last_ms = options.start_ms
    for record in simulate(options):
        decode_line(record.value or b"")
        assert last_ms <= record.at_ms < options.end_ms + 100
        last_ms = record.at_ms
