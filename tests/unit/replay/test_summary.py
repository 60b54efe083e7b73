"""The summary at the end of `fenliu replay`: for people on standard error, for programs in a file."""

from typing import Any

import orjson
import pytest

from tests.unit.replay.files import START_MS, Replaying, config, lines, message, reply, status

HOUR_MS = 3_600_000
DAY = [
    config(0, agents=[{"agent_id": "an"}]),
    status("online", 0),
    message("m1", 1000),
    message("m1", 2000),
    reply(3000),
    status("offline", 2500),
    status("online", 2000),  # stale, and late
    message("m2", HOUR_MS, shop="t"),
    {**status("online", 10, shop="t", agent="bo"), "device": "mobile"},
    {**status("online", 20, shop="t", agent="bo"), "device": "mobile"},
]


def figures(replay: Replaying, *args: str) -> dict[str, Any]:
    replay("--json-summary", "figures.json", *args)
    return orjson.loads((replay.place / "figures.json").read_bytes())  # type: ignore[no-any-return]


def rows(stderr: str) -> dict[str, str]:
    """The lines of the summary by their names."""
    found = (line.split("  ", 1) for line in stderr.splitlines() if "  " in line)
    return {name: said.strip() for name, said in found}


def test_it_says_what_there_was_and_what_became_of_it(replay: Replaying) -> None:
    replay.write("day.jsonl", [*DAY, {"type": "weather"}])
    done = replay("day.jsonl")
    assert rows(done.stderr) == {
        "events": "10: 1 shop_config, 5 agent_status, 1 agent_reply, 3 buyer_message",
        "first": "2026-03-02T08:00:00+08:00",
        "last": "2026-03-02T09:00:00+08:00",
        "shops": "2: 1 with settings, 1 without (t)",
        "duplicate messages": "1",
        "late events": "1",
        "statuses without effect": "3: 1 stale, 2 online of a phone that does not count",
        "stranded buyers (掉线)": "0",
        "assignments": "2",
        "bad lines": "1",
        "group_share": "权重分流    1    50.0 %    ━━━━━━━━━━━━━━━",
        "leave_message": "留言        1    50.0 %    ━━━━━━━━━━━━━━━",
        "schema": "1    100.0 %    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
        "": "to mend it: mobile_diversion: true in the settings of the shop",
    }


def test_it_stands_behind_the_decisions_which_stay_as_they_are(replay: Replaying) -> None:
    replay.write("day.jsonl", DAY)
    loud, quiet = replay("day.jsonl"), replay("day.jsonl", "--quiet")
    assert loud.stdout == quiet.stdout
    assert quiet.stderr == ""
    assert "\x1b" not in loud.stderr
    assert not any(line != line.rstrip() for line in loud.stderr.splitlines())


def test_programs_get_it_as_json(replay: Replaying) -> None:
    replay.write("day.jsonl", [*DAY, {"type": "weather"}])
    replay.write("shops.yaml", b"- {shop_id: s}\n- {shop_id: v}\n")
    assert figures(replay, "day.jsonl", "--shops", "shops.yaml", "--quiet") == {
        "events": {"total": 10, "shop_config": 1, "agent_status": 5, "agent_reply": 1, "buyer_message": 3},
        "first_ms": START_MS,
        "last_ms": START_MS + HOUR_MS,
        "left_out": {"after_until": 0, "settings": 0},
        "bad_lines": {"total": 1, "by_code": {"schema": 1}},
        "shops": {
            "total": 2,
            "with_settings": ["s"],
            "without_settings": ["t"],
            "settings_without_events": ["v"],
        },
        "duplicate_messages": 1,
        "late_events": 1,
        "statuses_without_effect": {"stale": 1, "uncounted_phone": 2},
        "uncounted_phones": [{"shop_id": "t", "agent_id": "bo", "times": 2}],
        "stranded_buyers": 0,
        "assignments": {"total": 2, "by_rule": {"group_share": 1, "leave_message": 1}},
    }


@pytest.mark.parametrize("options", [[], ["--presence"], ["--partitions", "3"]])
def test_options_change_no_figure(replay: Replaying, options: list[str]) -> None:
    replay.write("day.jsonl", DAY)
    assert figures(replay, "day.jsonl", *options) == figures(replay, "day.jsonl")


def test_stranded_buyers_and_late_events_are_counted(replay: Replaying) -> None:
    lag = config(0, detection_lag_s={"min": 60, "max": 60})
    replay.write(
        "day.jsonl", [lag, status("online", 0), status("offline", 1000), message("m1", 2000), message("m2", 100)]
    )
    found = figures(replay, "day.jsonl", "--until", str(START_MS + 61_000))
    assert (found["stranded_buyers"], found["late_events"]) == (1, 1)


def test_a_phone_that_does_not_count_is_told_with_whose_it_is(replay: Replaying) -> None:
    """手机千牛不分流: the agent sees itself online, and no buyer comes."""
    replay.write("day.jsonl", [{**status("online", 0, agent="小丽"), "device": "mobile"}, message("m1", 1)])
    done = replay("day.jsonl")
    assert (
        "fenliu: 小丽 of s came online on a phone only, and gets nothing there while mobile_diversion is off "
        "(手机分流)\n"
        "  to mend it: mobile_diversion: true in the settings of the shop\n"
    ) in done.stderr
    replay.write("shops.yaml", b"- {shop_id: s, mobile_diversion: true}\n")
    assert "phone" not in replay("day.jsonl", "--shops", "shops.yaml").stderr


def test_of_many_phones_some_are_named(replay: Replaying) -> None:
    replay.write("day.jsonl", [{**status("online", n, agent=f"a{n}"), "device": "mobile"} for n in range(9)])
    told = replay("day.jsonl").stderr
    assert told.count("on a phone only") == 5
    assert "fenliu: so did 4 more agents\n" in told


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_input_says_so(replay: Replaying, content: bytes) -> None:
    replay.write("empty.jsonl", content)
    done = replay("empty.jsonl")
    assert (done.exit_code, done.stdout) == (0, b"")
    assert done.stderr == "fenliu: there is nothing to route: empty.jsonl is empty\n"
    assert replay("empty.jsonl", "-").stderr.endswith(" empty.jsonl, standard input are empty\n")


def test_an_end_before_the_first_event_says_so(replay: Replaying) -> None:
    replay.write("day.jsonl", DAY)
    done = replay("day.jsonl", "--until", "2026-03-02")
    assert (done.exit_code, done.stdout) == (0, b"")
    assert done.stderr == (
        "fenliu: there is nothing to route: all 10 events of day.jsonl are after --until 2026-03-02T00:00:00+08:00\n"
    )
    assert rows(replay("day.jsonl", "--until", "2026-03-02T08:30").stderr)["left out"] == (
        "1 events after --until 2026-03-02T08:30:00+08:00"
    )


def test_nothing_but_bad_lines_says_so(replay: Replaying) -> None:
    replay.write("day.jsonl", b"{\n")
    told = replay("day.jsonl").stderr
    assert "fenliu: there is nothing to route: no line of day.jsonl can be used\n" in told
    assert "not_json" in rows(told)


def test_an_id_that_looks_like_markup_is_shown_as_it_is(replay: Replaying) -> None:
    replay.write("day.jsonl", [message("m1", 0, shop="[red]a[/]")])
    assert rows(replay("day.jsonl").stderr)["shops"] == "1: 0 with settings, 1 without ([red]a[/])"


def test_the_figures_never_overwrite_what_is_read_or_written(replay: Replaying) -> None:
    day = replay.write("day.jsonl", DAY)
    for options in (["--json-summary", "day.jsonl"], ["--json-summary", "x", "--dead-letters", "./x"]):
        done = replay("day.jsonl", *options)
        assert done.exit_code == 2
        assert "--json-summary would overwrite" in done.stderr
    assert day.read_bytes() == lines(DAY)
