"""SHOPS.yaml: settings in force from the start (section 10)."""

import pytest

from tests.unit.replay.files import START_MS, Replaying, config, message, status

EVENTS = [message("m1", 0), message("m2", 0, shop="other")]


def test_its_settings_are_in_force_before_the_first_line(replay: Replaying) -> None:
    replay.write("shops.yaml", b"- shop_id: s\n  policy: pinduoduo\n  offline_receivers: [an]\n")
    replay.write("day.jsonl", EVENTS)
    done = replay("day.jsonl", "--shops", "shops.yaml")
    assert {decision["shop_id"]: decision["rule"] for decision in done.decisions} == {
        "s": "offline_receiver",
        "other": "leave_message",
    }
    assert [decision["config_version"] == "default" for decision in done.decisions] == [False, True]


def test_they_have_the_version_that_the_same_settings_have_in_a_line(replay: Replaying) -> None:
    replay.write("shops.yaml", "- shop_id: s\n  robot_id: 店小蜜\n  busy_threshold: 5\n".encode())
    replay.write("yaml.jsonl", [message("m1", 1)])
    replay.write("line.jsonl", [config(0, robot_id="店小蜜", busy_threshold=5), message("m1", 1)])
    (of_yaml,) = replay("yaml.jsonl", "--shops", "shops.yaml").decisions
    (of_line,) = replay("line.jsonl").decisions
    assert of_yaml == of_line


def test_a_time_in_an_entry_does_not_delay_it(replay: Replaying) -> None:
    replay.write(
        "shops.yaml",
        f"- {{type: shop_config, shop_id: s, occurred_at_ms: {START_MS + 5_000_000}, policy: pinduoduo}}\n".encode(),
    )
    replay.write("day.jsonl", [message("m1", 1)])
    (assignment,) = replay("day.jsonl", "--shops", "shops.yaml").decisions
    assert assignment["policy"] == "pinduoduo"
    assert assignment["late_ms"] == 0


def test_a_line_replaces_them_and_reset_brings_the_defaults(replay: Replaying) -> None:
    replay.write("shops.yaml", b"- {shop_id: s, policy: pinduoduo}\n")
    replay.write(
        "day.jsonl",
        [message("m1", 1), config(2, busy_threshold=9), message("m2", 3), config(4, reset=True), message("m3", 5)],
    )
    done = replay("day.jsonl", "--shops", "shops.yaml")
    assert [decision["policy"] for decision in done.decisions] == ["pinduoduo", "qianniu", "qianniu"]
    assert done.decisions[2]["config_version"] == "default"


def test_heartbeats_are_expected_from_the_start(replay: Replaying) -> None:
    replay.write(
        "shops.yaml",
        b"- {shop_id: s, expect_heartbeats: true, detection_lag_s: {min: 60, max: 60}, mobile_diversion: true}",
    )
    replay.write("day.jsonl", [status("online", 1000)])
    done = replay("day.jsonl", "--presence", "--shops", "shops.yaml", "--until", str(START_MS + 61_000))
    assert [(decision["presence"], decision["at_ms"]) for decision in done.decisions] == [
        ("online", START_MS + 1000),
        ("offline", START_MS + 61_000),
    ]


def test_it_can_come_from_standard_input(replay: Replaying) -> None:
    replay.write("day.jsonl", EVENTS)
    done = replay("day.jsonl", "--shops", "-", stdin=b"- {shop_id: s, policy: pinduoduo}\n")
    assert done.exit_code == 0
    assert done.decisions[0]["policy"] == "pinduoduo"


def test_an_empty_list_is_no_settings(replay: Replaying) -> None:
    replay.write("shops.yaml", b"[]\n")
    replay.write("day.jsonl", EVENTS)
    assert replay("day.jsonl", "--shops", "shops.yaml").stdout == replay("day.jsonl").stdout


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "shops.yaml:1: "),
        (b"shop_id: s\n", "shops.yaml:1: "),
        (b"- shop_id: s\n  busy_threshold: 0\n", "shops.yaml:2: $[0].busy_threshold"),
        (b"- shop_id: s\n- shop_id: t\n  leave_message: {to: main_account}\n", "shops.yaml:3: $[1].leave_message"),
        (b"- shop_id: s\n- shop_id: s\n", "already"),
        (b"- busy_threshold: 3\n", "shop_id"),
        (b"- shop_id: 7\n", "quotes"),
        (b"- shop_id: [\n", "not YAML"),
        (b"\xff", "UTF-8"),
        (b"- just text\n", "object"),
    ],
)
def test_an_entry_that_cannot_be_used_ends_with_2_and_decides_nothing(
    replay: Replaying, content: bytes, told: str
) -> None:
    replay.write("shops.yaml", content)
    replay.write("day.jsonl", EVENTS)
    done = replay("day.jsonl", "--shops", "shops.yaml")
    assert (done.exit_code, done.stdout) == (2, b"")
    assert told in done.stderr
