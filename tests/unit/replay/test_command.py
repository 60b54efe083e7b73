"""`fenliu replay` from outside (section 10): what it reads, what it writes where, and how it ends."""

import gzip
import os
import subprocess
import sys

import orjson
import pytest

from tests.unit.replay.files import START_MS, Replaying, config, lines, message, reply, status

MORNING = [
    status("online", 0),
    message("m1", 1000),
    reply(2000),
    status("offline", 3000),
    message("m2", 600_000),
]


def test_assignments_come_as_json_lines_in_order(replay: Replaying) -> None:
    replay.write("day.jsonl", MORNING)
    done = replay("day.jsonl", "--quiet")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert [(decision["type"], decision["rule"]) for decision in done.decisions] == [
        ("assignment", "group_share"),
        ("assignment", "leave_message"),
    ]
    assert done.stdout.endswith(b"\n")


def test_presence_events_come_only_if_asked_for(replay: Replaying) -> None:
    replay.write("day.jsonl", MORNING)
    done = replay("--presence", "day.jsonl")
    assert [decision.get("presence", decision["type"]) for decision in done.decisions] == [
        "online",
        "assignment",
        "undetected_offline",
        "offline",
        "assignment",
    ]


def test_timers_fire_up_to_the_last_event_of_any_shop(replay: Replaying) -> None:
    lag = config(0, detection_lag_s={"min": 60, "max": 60})
    events = [lag, status("online", 0), status("offline", 1000)]
    replay.write("early.jsonl", [*events, message("m1", 60_999, shop="other")])
    replay.write("exact.jsonl", [*events, message("m1", 61_000, shop="other")])
    early, exact = replay("--presence", "early.jsonl"), replay("--presence", "exact.jsonl")
    assert "offline" not in [decision.get("presence") for decision in early.decisions]
    assert exact.decisions[-1]["presence"] == "offline"
    assert exact.decisions[-1]["at_ms"] == START_MS + 61_000


def test_the_last_event_is_the_latest_not_the_last_line(replay: Replaying) -> None:
    lag = config(0, detection_lag_s={"min": 60, "max": 60})
    late_first = [message("m1", 61_000, shop="a"), lag, status("online", 0), status("offline", 1000)]
    replay.write("day.jsonl", late_first)
    assert replay("--presence", "day.jsonl").decisions[-1]["presence"] == "offline"


def test_until_leaves_out_later_events_and_fires_timers_up_to_it(replay: Replaying) -> None:
    lag = config(0, detection_lag_s={"min": 60, "max": 60})
    replay.write("day.jsonl", [lag, status("online", 0), status("offline", 1000), message("m1", 60_000)])
    for until, presences, assigned in (
        (59_999, ["online", "undetected_offline"], 0),
        (60_000, ["online", "undetected_offline"], 1),
        (60_999, ["online", "undetected_offline"], 1),
        (61_000, ["online", "undetected_offline", "offline"], 1),
    ):
        done = replay("--presence", "--until", str(START_MS + until), "day.jsonl")
        assert [decision["presence"] for decision in done.decisions if "presence" in decision] == presences
        assert sum(decision["type"] == "assignment" for decision in done.decisions) == assigned


def test_shops_follow_by_id_when_the_file_is_at_its_end(replay: Replaying) -> None:
    events = [
        event
        for shop, left_ms in (("b", 1), ("a", 2), ("c", 3))
        for event in (
            config(0, shop=shop, detection_lag_s={"min": 60, "max": 60}),
            status("online", 0, shop=shop),
            status("offline", left_ms, shop=shop),
        )
    ]
    replay.write("day.jsonl", events)
    done = replay("--presence", "--until", str(START_MS + 100_000), "day.jsonl")
    assert [decision["shop_id"] for decision in done.decisions[-3:]] == ["a", "b", "c"]  # F8


def test_bad_lines_are_told_with_file_line_and_code_and_the_others_go_on(replay: Replaying) -> None:
    day = b"\n".join(
        [
            b"{not json",
            b"   ",
            orjson.dumps(status("online", 0)),
            b"",
            orjson.dumps(message("m1", 1000) | {"buyer_id": ""}),
            b'{"type":"weather"}',
            b"\xff\xfe",
            orjson.dumps(message("m2", 2000)),
        ]
    )
    replay.write("day.jsonl", day)
    done = replay("day.jsonl", "--quiet")
    assert done.exit_code == 1
    assert [":".join(line.split(":")[:3]) for line in done.stderr.splitlines()] == [
        "day.jsonl:1: not_json",
        "day.jsonl:5: schema",
        "day.jsonl:6: schema",
        "day.jsonl:7: not_utf8",
    ]
    assert done.ids == ["m2"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"type":"buyer_message","a":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
        (b'{"a":"' + b"x" * 300_000 + b'"}', "too_large"),
        (orjson.dumps(config(0, busy_threshold=0)), "config"),
        (orjson.dumps(config(0, reset=True, busy_threshold=5)), "config"),
        (b'{"type":"shop_config","shop_id":"s"}', "schema"),
        (b"null", "schema"),
        (b"[]", "schema"),
        (b'{"type":null}', "schema"),
    ],
)
def test_every_code_that_a_line_can_have(replay: Replaying, line: bytes, code: str) -> None:
    replay.write("day.jsonl", line)
    done = replay("day.jsonl", "--dead-letters", "bad.jsonl")
    (letter,) = [orjson.loads(text) for text in (replay.place / "bad.jsonl").read_bytes().splitlines()]
    assert letter["error"] == code
    assert done.exit_code == 1


def test_dead_letters_are_written_as_they_came_with_the_reason(replay: Replaying) -> None:
    replay.write("one.jsonl", b'  {"type": "weather", "text": "secret"}\r\n' + lines([status("online", 0)]))
    replay.write("two.jsonl", b"\n\n\xff{\n")
    done = replay("one.jsonl", "two.jsonl", "--dead-letters", "bad.jsonl", "--quiet")
    first, second = [orjson.loads(text) for text in (replay.place / "bad.jsonl").read_bytes().splitlines()]
    assert list(first) == ["file", "line", "error", "detail", "value"]
    assert (first["file"], first["line"], first["error"]) == ("one.jsonl", 1, "schema")
    assert first["value"] == '  {"type": "weather", "text": "secret"}'
    assert first["detail"].startswith("$.type: ")
    assert "secret" not in first["detail"]
    assert (second["file"], second["line"], second["error"], second["value"]) == ("two.jsonl", 3, "not_utf8", "\ufffd{")
    assert "secret" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_without_bad_lines_the_dead_letters_are_empty(replay: Replaying) -> None:
    replay.write("bad.jsonl", b"of an earlier run")
    replay.write("day.jsonl", MORNING)
    assert replay("day.jsonl", "--dead-letters", "bad.jsonl").exit_code == 0
    assert (replay.place / "bad.jsonl").read_bytes() == b""


def test_a_file_whose_name_is_not_utf_8_can_have_bad_lines(replay: Replaying) -> None:
    name = os.fsdecode(b"caf\xe9.jsonl")
    replay.write(name, b"{")
    done = replay(name, "--dead-letters", "bad.jsonl")
    assert done.exit_code == 1
    assert orjson.loads((replay.place / "bad.jsonl").read_bytes())["file"] == "caf\ufffd.jsonl"


def test_a_gzipped_file_standard_input_and_a_plain_file_give_the_same(replay: Replaying) -> None:
    replay.write("day.jsonl", MORNING)
    replay.write("day.jsonl.gz", gzip.compress(lines(MORNING)))
    plain = replay("day.jsonl").stdout
    assert plain
    assert replay("day.jsonl.gz").stdout == plain
    assert replay("-", stdin=lines(MORNING)).stdout == plain


def test_a_gzipped_file_may_consist_of_several_members(replay: Replaying) -> None:
    replay.write("day.gz", gzip.compress(lines(MORNING[:2])) + gzip.compress(lines(MORNING[2:])))
    assert replay("day.gz").ids == ["m1", "m2"]


def test_a_bad_line_of_standard_input_is_named_by_a_dash(replay: Replaying) -> None:
    assert replay("-", stdin=b"\n{\n").stderr.startswith("-:2: not_json: ")


def test_line_ends_of_windows_and_a_missing_last_one_do_not_matter(replay: Replaying) -> None:
    replay.write("day.jsonl", lines(MORNING).replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    assert replay("day.jsonl").ids == ["m1", "m2"]


def test_no_lines_are_no_decisions(replay: Replaying) -> None:
    replay.write("empty.jsonl", b"\n \n")
    done = replay("empty.jsonl", "--until", "5", "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, b"", "")


def _truncated() -> bytes:
    return gzip.compress(lines(MORNING))[:-12]


def _damaged() -> bytes:
    packed = bytearray(gzip.compress(lines(MORNING)))
    packed[len(packed) // 2 :] = bytes(byte ^ 0xFF for byte in packed[len(packed) // 2 :])
    return bytes(packed)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.jsonl", None),
        ("missing.jsonl.gz", None),
        ("plain.gz", lines(MORNING)),
        ("truncated.gz", _truncated()),
        ("damaged.gz", _damaged()),
        (".", None),
        ("", None),
    ],
)
def test_a_file_that_cannot_be_read_ends_with_2_and_decides_nothing(
    replay: Replaying, name: str, content: bytes | None
) -> None:
    replay.write("day.jsonl", MORNING)
    if content is not None:
        replay.write(name, content)
    done = replay("day.jsonl", name)
    assert done.exit_code == 2
    assert done.stdout == b""
    assert f"{name}: cannot be read: " in done.stderr
    assert "to mend it" in done.stderr
    assert "defect" not in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["day.jsonl", "--until", "noon"],
        ["day.jsonl", "--until", "-1"],
        ["day.jsonl", "--partitions", "0"],
        ["day.jsonl", "--shops", "missing.yaml"],
        ["day.jsonl", "--shops", "."],
        ["day.jsonl", "--dead-letters", "missing/bad.jsonl"],
        ["day.jsonl", "--dead-letters", "."],
        ["day.jsonl", "--weather"],
        ["-", "-"],
        ["-", "--shops", "-"],
    ],
)
def test_wrong_use_ends_with_2_and_decides_nothing(replay: Replaying, args: list[str]) -> None:
    replay.write("day.jsonl", MORNING)
    done = replay(*args)
    assert (done.exit_code, done.stdout) == (2, b"")
    assert done.stderr
    assert "defect" not in done.stderr


def test_dead_letters_never_overwrite_what_is_read(replay: Replaying) -> None:
    day, shops = replay.write("day.jsonl", MORNING), replay.write("shops.yaml", b"[]")
    (replay.place / "link.jsonl").symlink_to(day)
    for letters in ("day.jsonl", "link.jsonl", "./shops.yaml"):
        done = replay("day.jsonl", "--shops", "shops.yaml", "--dead-letters", letters)
        assert done.exit_code == 2
        assert "overwrite" in done.stderr
    assert day.read_bytes() == lines(MORNING)
    assert shops.read_bytes() == b"[]"


def test_long_files_tell_how_far_they_are_read_packed_or_not(replay: Replaying) -> None:
    events = [message(f"m{number}", number, pad=os.urandom(80).hex()) for number in range(6000)]
    replay.write("long.jsonl", lines(events))
    replay.write("long.gz", gzip.compress(lines(events), compresslevel=1))
    assert (replay.place / "long.gz").stat().st_size > 500_000
    for name in ("long.jsonl", "long.gz"):
        assert replay(name, "--quiet").stderr == ""
        told = replay(name).stderr.split("Summary")[0].splitlines()
        assert told == sorted(set(told), key=told.index)
        assert set(told) <= {f"reading: {tenth}0 %" for tenth in range(1, 11)}
        assert len(told) >= 3


@pytest.mark.parametrize("options", [[], ["--presence"], ["--presence", "--partitions", "3"]])
def test_hash_randomisation_changes_no_byte(replay: Replaying, options: list[str]) -> None:
    shops = [f"shop-{number}" for number in range(9)]
    events = [
        event
        for second in range(60)
        for shop in shops
        for event in (
            status("online" if second % 7 else "offline", second * 1000, shop=shop, agent=f"a{second % 5}"),
            message(f"m{second}", second * 1000, shop=shop, buyer=f"b{second % 13}"),
            reply(second * 1000, shop=shop, agent=f"a{second % 3}", buyer=f"b{second % 11}"),
        )
    ]
    path = replay.write("day.jsonl", events)
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "streams", "replay", *options, str(path)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert len(next(iter(outputs))) > 100_000
    assert replay(*options, path).stdout in outputs
