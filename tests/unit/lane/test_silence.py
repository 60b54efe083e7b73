"""A topic that was not heard of for long, and is again (O2)."""

from streams.lane.inputs import STALE_S, Fetched, Inputs, Reader


def test_hearing_of_a_silent_topic_again_is_news() -> None:
    """The other topics waited for it: without a new look at the partition their records would wait for the next one."""
    now = 100.0
    reader = Reader(max_clock_skew_ms=1000, partition_count=1)
    offsets = {"shop-configs": 0, "agent-status": 0, "agent-replies": 0, "buyer-messages": 0}
    inputs = Inputs(0, offsets, {}, reader=reader, max_events=1, now=lambda: now)  # type: ignore[arg-type]

    def heard() -> bool:
        return inputs.feed("agent-status", Fetched(0, 0, 0, 0, now, 0, ()))

    assert heard()
    assert not heard()
    now += STALE_S + 0.1
    assert heard()
    assert not heard()
