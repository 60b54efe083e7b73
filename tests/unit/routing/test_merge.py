"""The merge of four topics by their heads (O2)."""

from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import RANK, Topic
from streams.routing import Merger

TOPICS = list(RANK)
times = st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=12)
inputs = st.fixed_dictionaries(dict.fromkeys(TOPICS, times))
Merged = list[tuple[Topic, int]]


def everything(topic: Topic) -> bool:
    del topic
    return True


def drain(merger: Merger[int], at_end: Callable[[Topic], bool]) -> Merged:
    merged: Merged = []
    while (popped := merger.pop(at_end)) is not None:
        merged.append((popped[0], popped[2]))
    return merged


@given(inputs)
def test_each_topic_keeps_its_order_and_the_smallest_head_comes_first(records: dict[Topic, list[int | None]]) -> None:
    merger: Merger[int] = Merger()
    for topic, heads in records.items():
        for number, time_ms in enumerate(heads):
            merger.push(topic, time_ms, number)
    waiting = {topic: list(enumerate(heads)) for topic, heads in records.items()}
    last = dict.fromkeys(TOPICS, 0)
    for topic, number in drain(merger, everything):
        next_times = {name: last[name] if rest[0][1] is None else rest[0][1] for name, rest in waiting.items() if rest}
        assert topic == min(next_times, key=lambda name: (next_times[name], RANK[name]))
        assert waiting[topic].pop(0)[0] == number
        last[topic] = next_times[topic]
    assert not any(waiting.values())
    assert merger.last_times == last


@given(inputs, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_how_records_were_fetched(
    records: dict[Topic, list[int | None]], rng: Random
) -> None:
    whole: Merger[int] = Merger()
    for topic, heads in records.items():
        for number, time_ms in enumerate(heads):
            whole.push(topic, time_ms, number)
    expected = drain(whole, everything)

    piecewise: Merger[int] = Merger()
    unfetched = {topic: list(enumerate(heads)) for topic, heads in records.items()}
    merged: Merged = []
    while any(unfetched.values()):
        topic = rng.choice([name for name, rest in unfetched.items() if rest])
        for number, time_ms in [unfetched[topic].pop(0) for _ in range(rng.randint(1, len(unfetched[topic])))]:
            piecewise.push(topic, time_ms, number)
        merged += drain(piecewise, lambda name: not unfetched[name])
    assert merged + drain(piecewise, everything) == expected


def test_a_topic_that_is_not_read_to_its_end_is_waited_for() -> None:
    merger: Merger[str] = Merger()
    merger.push("buyer-messages", 5, "message")
    assert merger.pop(lambda topic: topic != "agent-status") is None
    merger.push("agent-status", 9, "status")
    assert merger.pop(lambda topic: topic != "agent-status") == ("buyer-messages", 5, "message")
    assert merger.head("agent-status") == "status"
    assert merger.time_ms("agent-status") == 9
    assert merger.buffered("agent-status") == 1


def test_a_dead_letter_takes_the_time_of_the_one_before_it_also_after_a_restart() -> None:
    merger: Merger[str] = Merger({"buyer-messages": 7})
    merger.push("buyer-messages", None, "broken")
    merger.push("agent-replies", 8, "reply")
    merger.push("agent-status", 6, "status")
    assert [popped[2] for popped in iter(lambda: merger.pop(everything), None)] == ["status", "broken", "reply"]


@given(times=inputs, limit=st.integers(1, 4), room=st.integers(1, 3))
def test_o2_runs_are_what_one_at_a_time_gives(times: dict[Topic, list[int | None]], limit: int, room: int) -> None:
    """The worker takes runs, files and scenarios take single records: both must be one order."""
    single: Merger[str] = Merger()
    runs: Merger[str] = Merger()
    for topic, of in times.items():
        for number, time_ms in enumerate(of):
            single.push(topic, time_ms, f"{topic}:{number}")
            runs.push(topic, time_ms, f"{topic}:{number}")
    expected = [popped[2] for popped in iter(single.pop, None)]
    taken: list[str] = []
    while (run := runs.pop_run(lambda _: True, limit=limit, size=lambda _: 1, room=room)) is not None:
        assert len(run[1]) == run[2] <= min(limit, room)
        taken += run[1]
    assert taken == expected
    assert runs.last_times == single.last_times
