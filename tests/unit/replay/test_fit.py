"""How the settings of SHOPS.yaml and the events fit each other."""

import pytest

from tests.unit.replay.files import Replaying, config, message

ROBOT = b"- shop_id: s\n  robot_first: true\n"


def told(replay: Replaying, *options: str) -> list[str]:
    done = replay("day.jsonl", "--shops", "shops.yaml", "--quiet", *options)
    return [line.removeprefix("fenliu: ") for line in done.stderr.splitlines()]


def test_a_misspelt_setting_is_told_as_config_check_does(replay: Replaying) -> None:
    replay.write("shops.yaml", b"- shop_id: s\n  busy_treshold: 3\n")
    replay.write("day.jsonl", [message("m1", 0)])
    assert told(replay) == [
        "shops.yaml:2: $[0].busy_treshold: there is no such setting, it is ignored; do you mean busy_threshold?"
    ]


def test_settings_without_events_and_events_without_settings(replay: Replaying) -> None:
    replay.write("shops.yaml", b"- shop_id: shop-1\n- shop_id: shop_2\n")
    replay.write("day.jsonl", [message("m1", 0, shop="shop-1"), message("m2", 0, shop="shop-2")])
    assert told(replay) == [
        "shops.yaml:2: shop_2 has settings here, and no event is of it; do you mean shop-2?",
        "shop-2 has events and no settings, neither in shops.yaml nor in the events: the defaults hold for it",
    ]


def test_without_a_file_nothing_is_said_of_shops_that_have_no_settings(replay: Replaying) -> None:
    replay.write("day.jsonl", [message("m1", 0)])
    assert replay("day.jsonl", "--quiet").stderr == ""


def test_of_many_shops_some_are_named(replay: Replaying) -> None:
    replay.write("shops.yaml", b"".join(b"- shop_id: yaml%d\n" % n for n in range(7)))
    replay.write("day.jsonl", [message("m1", 0, shop=f"line{n}") for n in range(8)])
    lines = told(replay)
    assert len(lines) == 7
    assert lines[5] == "shops.yaml: 2 more shops have settings here, and no event is of them"
    assert lines[6].startswith("line0, line1, line2, line3, line4 and 3 more have events and no settings")


def test_settings_on_both_sides_are_told(replay: Replaying) -> None:
    """Trying new settings on an export tried the old ones, which are in the export."""
    replay.write("shops.yaml", ROBOT)
    replay.write("day.jsonl", [message("m1", 0), config(1000, busy_threshold=9), config(2000, busy_threshold=8)])
    first, second = told(replay)
    assert first == (
        "shops.yaml:1: s has other settings in the events, which replace these from 2026-03-02T08:00:01+08:00 on "
        "(day.jsonl:2)"
    )
    assert second == (
        "to try the settings of the file: --settings file leaves those of the events out; if it is meant so: "
        "--settings events"
    )


def test_the_same_settings_on_both_sides_are_no_matter(replay: Replaying) -> None:
    replay.write("shops.yaml", ROBOT)
    replay.write("day.jsonl", [message("m1", 0), config(1000, robot_first=True)])
    assert told(replay) == []


@pytest.mark.parametrize(
    ("whose", "targets"), [("file", ["robot"] * 3), ("events", ["robot", "message_pool", "robot"])]
)
def test_it_can_be_said_whose_count(replay: Replaying, whose: str, targets: list[str]) -> None:
    replay.write("shops.yaml", ROBOT + b"  robot_when_unattended: true\n")
    replay.write(
        "day.jsonl",
        [
            message("m1", 0),
            config(1000, busy_threshold=9),
            message("m2", 2000),
            config(3000, robot_first=True, robot_when_unattended=True),
            message("m3", 4000),
            config(0, shop="t", robot_first=True, robot_when_unattended=True),
            message("m4", 1, shop="t"),
        ],
    )
    done = replay("day.jsonl", "--shops", "shops.yaml", "--settings", whose)
    assert [each["target"]["id"] for each in done.decisions if each["shop_id"] == "s"] == targets
    assert [each["target"]["id"] for each in done.decisions if each["shop_id"] == "t"] == ["robot"]
    assert "fenliu:" not in done.stderr
    assert ("1 settings of the events (--settings file)" in done.stderr) == (whose == "file")


def test_without_a_file_there_is_nothing_to_choose(replay: Replaying) -> None:
    replay.write("day.jsonl", [message("m1", 0)])
    done = replay("day.jsonl", "--settings", "file")
    assert (done.exit_code, done.stdout) == (2, b"")
    assert "needs --shops" in done.stderr
