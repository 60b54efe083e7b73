"""`fenliu replay --strict`: fields that no event has."""

from tests.unit.replay.files import Replaying, config, message, status


def told(replay: Replaying, *options: str) -> list[str]:
    return [line.removeprefix("fenliu: ") for line in replay("day.jsonl", "--quiet", *options).stderr.splitlines()]


def test_each_unknown_field_is_named_once_with_what_may_be_meant(replay: Replaying) -> None:
    replay.write(
        "day.jsonl",
        [
            message("m1", 0, order_status="paid"),
            status("online", 1),
            message("m2", 2, order_status="paid", text="hello"),
            message("m3", 3, order_status="paid"),
            {**status("online", 4), "order_status": "paid"},
        ],
    )
    assert told(replay) == []
    assert told(replay, "--strict") == [
        "day.jsonl:1: no buyer_message has a field order_status: it is ignored (3 lines); do you mean order_state?",
        "day.jsonl:3: no buyer_message has a field text: it is ignored",
        "day.jsonl:5: no agent_status has a field order_status: it is ignored; do you mean status?",
    ]


def test_settings_are_looked_at_at_every_depth(replay: Replaying) -> None:
    replay.write(
        "day.jsonl",
        [
            config(0, agents=[{"agent_id": "an"}, {"agent_id": "bo", "wieght": 3}], busy_treshold=3),
            config(1, agents=[{"agent_id": "an", "wieght": 3}]),
        ],
    )
    assert told(replay, "--strict") == [
        "day.jsonl:1: no shop_config has a field agents[].wieght: it is ignored (2 lines); do you mean weight?",
        "day.jsonl:1: no shop_config has a field busy_treshold: it is ignored; do you mean busy_threshold?",
    ]


def test_it_is_a_finding_and_the_lines_are_routed_all_the_same(replay: Replaying) -> None:
    replay.write("day.jsonl", [status("online", 0), message("m1", 1, order_status="paid")])
    loose, strict = replay("day.jsonl"), replay("day.jsonl", "--strict")
    assert (loose.exit_code, strict.exit_code) == (0, 1)
    assert strict.stdout == loose.stdout


def test_without_unknown_fields_it_finds_nothing(replay: Replaying) -> None:
    replay.write("day.jsonl", [config(0, reset=True), status("online", 0), message("m1", 1, order_state="paid")])
    done = replay("day.jsonl", "--strict", "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
