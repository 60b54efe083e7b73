"""The inputs of a partition: order, ends, bounds, positions (O2, O1)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import RANK, InvalidEvent, Topic
from schemas.events import BuyerMessage
from streams.lane import inputs as module
from streams.lane.inputs import STALE_S, Batch, Fetched, Inputs, Reader
from tests.unit.lane.records import Consumed, consumed

TOPICS: tuple[Topic, ...] = tuple(RANK)
BEGIN: dict[Topic, int] = dict.fromkeys(TOPICS, 0)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    @property
    def ms(self) -> int:
        """The same as an instant."""
        return int(self.now * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make(clock: Clock, *, max_events: int = 100, partitions: int = 1) -> Inputs:
    reader = Reader(max_clock_skew_ms=60_000, partition_count=partitions)
    return Inputs(0, BEGIN, {}, reader=reader, max_events=max_events, now=clock)


def feed(
    inputs: Inputs,
    clock: Clock,
    topic: Topic,
    records: Sequence[Consumed] = (),
    *,
    start: int = 0,
    position: int | None = None,
    end: int | None = None,
    high_watermark: int | None = None,
) -> bool:
    """Feed records; by default they are all that there is."""
    after = position if position is not None else max([start, *(each.offset + 1 for each in records)])
    end = after if end is None else end
    high_watermark = end if high_watermark is None else high_watermark
    return inputs.feed(topic, Fetched(start, after, end, high_watermark, clock.now, clock.ms, records))


def ids(batch: Batch | None) -> list[str]:
    assert batch is not None
    return [f"{topic}:{record.offset}" for topic, run in batch.runs for record, _ in run]


def test_o2_heads_are_taken_by_time_then_rank(clock: Clock) -> None:
    inputs = make(clock)
    feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", 0, 10), consumed("buyer-messages", 1, 20)])
    feed(inputs, clock, "agent-status", [consumed("agent-status", 0, 20)])
    feed(inputs, clock, "agent-replies", [consumed("agent-replies", 0, 20), consumed("agent-replies", 1, 5)])
    feed(inputs, clock, "shop-configs", [consumed("shop-configs", 0, 20)])
    assert ids(inputs.take()) == [
        "buyer-messages:0", "shop-configs:0", "agent-status:0", "agent-replies:0", "agent-replies:1",
        "buyer-messages:1",
    ]  # fmt: skip


def test_o2_a_topic_that_nobody_has_heard_of_is_waited_for(clock: Clock) -> None:
    inputs = make(clock)
    for topic in TOPICS[1:]:
        feed(inputs, clock, topic, [consumed(topic, 0, 10)])
    assert inputs.take() is None
    inputs.feed(TOPICS[0], Fetched(0, 0, None, None, clock.now, clock.ms, ()))
    assert inputs.take() is None
    feed(inputs, clock, TOPICS[0])
    assert len(ids(inputs.take())) == 3


def test_o2_a_topic_with_more_on_the_broker_holds_the_others_up(clock: Clock) -> None:
    inputs = make(clock)
    for topic in TOPICS:
        feed(inputs, clock, topic, [consumed(topic, 0, 10)], end=2 if topic == "agent-status" else 1)
    feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", 1, 30)], start=1)
    assert ids(inputs.take()) == ["shop-configs:0", "agent-status:0"]
    assert inputs.take() is None
    feed(inputs, clock, "agent-status", [consumed("agent-status", 1, 20)], start=1)
    assert ids(inputs.take()) == ["agent-replies:0", "buyer-messages:0", "agent-status:1", "buyer-messages:1"]


def test_o2_the_end_is_not_believed_for_long(clock: Clock) -> None:
    inputs = make(clock)
    for topic in TOPICS:
        feed(inputs, clock, topic)
    clock.now += STALE_S + 0.1
    feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", 0, 10)])
    assert inputs.take() is None
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
    assert ids(inputs.take()) == ["buyer-messages:0"]


def test_o2_a_bad_record_takes_the_time_of_the_one_before_it(clock: Clock) -> None:
    inputs = make(clock)
    bad = Consumed(1, b"{")
    feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", 0, 10), bad, consumed("buyer-messages", 2, 40)])
    feed(inputs, clock, "agent-status", [consumed("agent-status", 0, 5), consumed("agent-status", 1, 30)])
    feed(inputs, clock, "agent-replies")
    feed(inputs, clock, "shop-configs")
    batch = inputs.take()
    assert ids(batch) == [
        "agent-status:0", "buyer-messages:0", "buyer-messages:1", "agent-status:1", "buyer-messages:2",
    ]  # fmt: skip
    assert batch is not None
    assert isinstance([event for _, run in batch.runs for _, event in run][2], InvalidEvent)


def test_offsets_point_at_the_first_record_that_waits_or_past_markers(clock: Clock) -> None:
    inputs = make(clock, max_events=2)
    feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", 3, 10), consumed("buyer-messages", 7, 20)])
    feed(inputs, clock, "agent-status", [consumed("agent-status", 4, 15)], position=9)
    feed(inputs, clock, "agent-replies", position=5)
    feed(inputs, clock, "shop-configs")
    batch = inputs.take()
    assert ids(batch) == ["buyer-messages:3", "agent-status:4"]
    assert batch is not None
    assert batch.offsets == {"buyer-messages": 7, "agent-status": 9, "agent-replies": 5, "shop-configs": 0}
    assert batch.last_times == {"buyer-messages": 10, "agent-status": 15, "agent-replies": 0, "shop-configs": 0}


def test_a_fetch_from_elsewhere_is_dropped(clock: Clock) -> None:
    inputs = make(clock)
    assert feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", 0, 10)])
    assert not feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", 0, 10)])
    assert inputs.wanted()["buyer-messages"] == 1


def test_a_full_topic_is_not_wanted(clock: Clock) -> None:
    inputs = make(clock, max_events=2)
    feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", n, n) for n in range(2)])
    assert set(inputs.wanted()) == set(TOPICS) - {"buyer-messages"}
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
    assert len(ids(inputs.take())) == 2
    assert set(inputs.wanted()) == set(TOPICS)


def test_bytes_bound_what_is_buffered_and_taken(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BUFFERED_BYTES", 1000)
    inputs = make(clock)
    feed(inputs, clock, "buyer-messages", [Consumed(n, b"x" * 600) for n in range(4)])
    assert "buyer-messages" not in inputs.wanted()
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
    assert ids(inputs.take()) == ["buyer-messages:0", "buyer-messages:1"]
    assert ids(inputs.take()) == ["buyer-messages:2", "buyer-messages:3"]


def test_reset_reads_again_what_was_taken(clock: Clock) -> None:
    inputs = make(clock)
    for topic in TOPICS:
        feed(inputs, clock, topic, [consumed(topic, 0, 10)])
    first = ids(inputs.take())
    inputs.reset(BEGIN, {})
    assert inputs.wanted() == BEGIN
    for topic in TOPICS:
        feed(inputs, clock, topic, [consumed(topic, 0, 10)])
    assert ids(inputs.take()) == first


def test_o1_the_watermark_is_when_the_last_of_four_was_at_its_end(clock: Clock) -> None:
    inputs = make(clock)
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
        assert inputs.watermark_ms() is None
        clock.now += 1
    feed(inputs, clock, TOPICS[3])
    assert inputs.watermark_ms() == 100_000
    for topic in TOPICS:
        clock.now += 1
        feed(inputs, clock, topic)
    assert inputs.watermark_ms() == 104_000


def test_o1_traffic_moves_the_watermark_on(clock: Clock) -> None:
    """Another shop of the partition that never falls silent holds up no timer."""
    inputs = make(clock)
    for topic in TOPICS:
        feed(inputs, clock, topic)
    for offset in range(50):
        clock.now += 0.2
        for topic in TOPICS[:3]:
            feed(inputs, clock, topic)
        feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", offset, offset)], start=offset)
        batch = inputs.take()
        assert batch is not None
        assert batch.watermark_ms == clock.ms


def test_o1_what_waits_here_holds_the_watermark(clock: Clock) -> None:
    inputs = make(clock, max_events=2)
    for topic in TOPICS:
        feed(inputs, clock, topic)
    heard_ms = clock.ms
    clock.now += 1
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
    feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", n, n) for n in range(3)])
    assert inputs.watermark_ms() == heard_ms
    for expected_ms in (heard_ms, clock.ms):
        batch = inputs.take()
        assert batch is not None
        assert batch.watermark_ms == expected_ms


def test_o1_a_backlog_holds_the_watermark_until_what_was_there_is_read(clock: Clock) -> None:
    """All that was on the broker at an instant was read once its end of then is passed, whatever came since."""
    inputs = make(clock)
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
    watermarks_ms: list[int | None] = []
    for start, end in ((0, 5), (3, 8), (6, 11), (9, 14)):
        records = [consumed("buyer-messages", n, n) for n in range(start, start + 3)]
        feed(inputs, clock, "buyer-messages", records, start=start, end=end)
        clock.now += 1
        for topic in TOPICS[:3]:
            feed(inputs, clock, topic)
        assert inputs.take() is not None
        watermarks_ms.append(inputs.watermark_ms())
    assert watermarks_ms == [None, 100_000, 101_000, 102_000]


def test_o1_an_input_that_is_not_heard_of_holds_the_watermark(clock: Clock) -> None:
    inputs = make(clock)
    for topic in TOPICS:
        feed(inputs, clock, topic)
    clock.now += STALE_S + 1
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
    assert inputs.watermark_ms() == 100_000


def test_o1_an_open_transaction_of_a_producer_holds_the_watermark(clock: Clock) -> None:
    """What was committed behind its first record is on the broker, and nobody may read it yet."""
    inputs = make(clock)
    for topic in TOPICS:
        feed(inputs, clock, topic)
    clock.now += 1
    for topic in TOPICS:
        feed(inputs, clock, topic, high_watermark=7 if topic == "agent-status" else None)
    assert inputs.watermark_ms() == 100_000


def test_o1_an_end_that_is_told_smaller_after_a_change_of_leaders_proves_nothing(clock: Clock) -> None:
    inputs = make(clock)
    for topic in TOPICS:
        feed(inputs, clock, topic, high_watermark=7 if topic == "agent-status" else None)
    clock.now += 1
    for topic in TOPICS:
        feed(inputs, clock, topic)
    assert inputs.watermark_ms() is None


def test_o1_the_marks_of_a_long_backlog_are_bounded(clock: Clock) -> None:
    inputs = make(clock, max_events=10_000)
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
    for offset in range(5_000):
        clock.now += 0.01
        feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", offset, 1)], start=offset, end=offset + 100)
    assert len(inputs._feeds["buyer-messages"].marks) <= module.MAX_MARKS
    for topic in TOPICS[:3]:
        feed(inputs, clock, topic)
    assert inputs.take() is not None
    watermark_ms = inputs.watermark_ms()
    assert watermark_ms is not None
    # A hundred records were behind, of which one came every 10 ms.
    assert clock.ms - 5_000 < watermark_ms <= clock.ms - 1_000


def test_lag_is_what_the_broker_has_and_nobody_committed(clock: Clock) -> None:
    inputs = make(clock)
    feed(inputs, clock, "buyer-messages", [consumed("buyer-messages", 0, 10, timestamp=77)], end=5)
    assert inputs.behind(BEGIN) == {"buyer-messages": 5, "agent-status": 0, "agent-replies": 0, "shop-configs": 0}
    assert inputs.oldest_timestamp_ms() == 77


@pytest.mark.parametrize(
    ("record", "partitions", "code"),
    [
        (consumed("buyer-messages", 0, 1_060_001), 1, "clock_skew"),
        (consumed("buyer-messages", 0, 10), 97, "wrong_partition"),
        (Consumed(0, b"{"), 97, "not_json"),
    ],
)
def test_s9_what_the_reader_refuses(record: Consumed, partitions: int, code: str) -> None:
    refused = Reader(max_clock_skew_ms=60_000, partition_count=partitions).read("buyer-messages", record)
    assert isinstance(refused, InvalidEvent)
    assert refused.code == code


def test_s9_a_minute_ahead_is_not_skew_and_without_a_timestamp_nothing_is() -> None:
    reader = Reader(max_clock_skew_ms=60_000, partition_count=1)
    for record in (consumed("buyer-messages", 0, 1_060_000), consumed("buyer-messages", 0, 5, timestamp=-1)):
        assert isinstance(reader.read("buyer-messages", record), BuyerMessage)


@given(
    times=st.fixed_dictionaries({topic: st.lists(st.integers(0, 50), max_size=12) for topic in TOPICS}),
    cuts=st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(1, 4), st.booleans()), max_size=60),
    max_events=st.integers(1, 5),
)
def test_o2_any_fetches_and_batches_give_one_order(
    times: dict[Topic, list[int]], cuts: list[tuple[Topic, int, bool]], max_events: int
) -> None:
    """However the records of four full topics are fetched and batched, and however often it starts anew."""
    topics = {topic: [consumed(topic, n, at) for n, at in enumerate(of)] for topic, of in times.items()}
    clock = Clock()
    whole = make(clock, max_events=1000)
    for topic, records in topics.items():
        feed(whole, clock, topic, records)
    expected = ids(whole.take()) if any(topics.values()) else []
    inputs, committed, last_times = make(clock, max_events=max_events), dict(BEGIN), dict[Topic, int]()
    seen: list[str] = []
    for topic, count, restart in [*cuts, *((topic, 50, False) for _ in range(60) for topic in TOPICS)]:
        start = inputs.wanted().get(topic)
        if start is not None:
            feed(inputs, clock, topic, topics[topic][start : start + count], start=start, end=len(topics[topic]))
        batch = inputs.take()
        if restart:
            inputs.reset(committed, last_times)
        elif batch is not None:
            seen += ids(batch)
            committed, last_times = batch.offsets, batch.last_times
    while (batch := inputs.take()) is not None:
        seen += ids(batch)
    assert seen == expected
