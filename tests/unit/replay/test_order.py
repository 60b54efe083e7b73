"""In which order lines are decided (O2, section 10), seen in the assignments that come."""

import pytest

from streams.partitioner import partition_of
from tests.unit.replay.files import START_MS, Event, Replaying, config, message, reply, status


def decided(replay: Replaying, events: list[Event], *options: str) -> list[str]:
    replay.write("day.jsonl", events)
    return replay("day.jsonl", *options).ids


def test_over_shops_the_smallest_time_goes_first(replay: Replaying) -> None:
    events = [message("late", 9, shop="a"), message("early", 3, shop="b"), message("between", 5, shop="c")]
    assert decided(replay, events) == ["early", "between", "late"]


def test_at_one_instant_over_shops_the_first_line_goes_first(replay: Replaying) -> None:
    events = [message("1", 5, shop="b"), message("2", 5, shop="a"), message("3", 5, shop="c")]
    assert decided(replay, events) == ["1", "2", "3"]


def test_at_one_instant_over_shops_the_rank_goes_before_the_line(replay: Replaying) -> None:
    events = [message("1", 5, shop="a"), status("online", 5, shop="b")]
    replay.write("day.jsonl", events)
    done = replay("day.jsonl", "--presence")
    assert [(decision["type"], decision["shop_id"]) for decision in done.decisions] == [
        ("agent_presence", "b"),
        ("assignment", "a"),
    ]


def test_at_one_instant_in_a_shop_settings_status_and_replies_go_before_messages(replay: Replaying) -> None:
    events = [message("m1", 5), reply(5, agent="bo"), status("online", 5, agent="bo"), config(5, policy="pinduoduo")]
    replay.write("day.jsonl", events)
    (assignment,) = replay("day.jsonl").decisions
    assert (assignment["rule"], assignment["policy"]) == ("recent_contact", "pinduoduo")


def test_the_lines_of_one_type_keep_their_order_and_late_ones_wait_behind(replay: Replaying) -> None:
    events = [message("m1", 100), message("m2", 50), status("online", 60)]
    replay.write("day.jsonl", events)
    first, second = replay("day.jsonl").decisions
    assert (first["message_id"], first["late_ms"]) == ("m1", 0)
    assert (second["message_id"], second["late_ms"], second["decided_at_ms"]) == ("m2", 50, START_MS + 100)
    assert first["target"]["id"] == "an"  # the status of 60 goes before the message of 100


def test_a_late_line_of_one_shop_holds_up_no_other_shop(replay: Replaying) -> None:
    events = [message("a1", 100, shop="a"), message("a2", 10, shop="a"), message("b1", 50, shop="b")]
    assert decided(replay, events) == ["b1", "a1", "a2"]


def test_with_partitions_a_late_line_holds_up_the_shops_of_its_partition(replay: Replaying) -> None:
    events = [message("a1", 100, shop="a"), message("b1", 50, shop="b")]
    assert decided(replay, events, "--partitions", "1") == ["a1", "b1"]
    assert partition_of(b"a", 7) != partition_of(b"b", 7)
    assert decided(replay, events, "--partitions", "7") == ["b1", "a1"]


def test_with_partitions_lines_out_of_time_order_across_shops_make_a_difference(replay: Replaying) -> None:
    """The message of `b` waits in its topic behind that of `a`, and by then the agent of `b` is there."""
    events = [message("a1", 100, shop="a"), message("b1", 50, shop="b"), status("online", 60, shop="b")]
    replay.write("day.jsonl", events)
    alone, together = replay("day.jsonl"), replay("day.jsonl", "--partitions", "1")
    assert [decision["rule"] for decision in alone.decisions] == ["leave_message", "pool_drained", "leave_message"]
    assert [decision["rule"] for decision in together.decisions] == ["leave_message", "group_share"]


@pytest.mark.parametrize("partitions", ["1", "2", "12"])
def test_with_partitions_a_file_in_time_order_gives_the_same_assignments(replay: Replaying, partitions: str) -> None:
    events = [
        event
        for second in range(200)
        for shop in (f"shop-{second % 5}",)
        for event in (
            status("online" if second % 3 else "offline", second * 1000, shop=shop, agent=f"a{second % 2}"),
            message(f"m{second}", second * 1000 + 1, shop=shop, buyer=f"b{second % 4}"),
        )
    ]
    replay.write("day.jsonl", events)
    expected = replay("day.jsonl", "--presence")
    assert replay("day.jsonl", "--presence", "--partitions", partitions).stdout == expected.stdout


def test_a_bad_line_moves_no_other(replay: Replaying) -> None:
    events: list[Event] = [
        message("m1", 5),
        {"type": "buyer_message", "occurred_at_ms": START_MS + 9},
        message("m2", 6),
    ]
    assert decided(replay, events) == ["m1", "m2"]


def test_lines_of_several_files_are_one_topic_in_the_order_of_the_files(replay: Replaying) -> None:
    replay.write("one.jsonl", [message("m1", 100)])
    replay.write("two.jsonl", [message("m2", 50)])
    assert replay("one.jsonl", "two.jsonl").ids == ["m1", "m2"]
    assert replay("two.jsonl", "one.jsonl").ids == ["m2", "m1"]
