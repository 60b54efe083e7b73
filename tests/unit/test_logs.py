"""Logs: one object a line, no payloads, and no client that floods or misleads."""

import io
import logging
import sys

import orjson
import pytest

from streams.logs import CLIENTS_A_MINUTE, MINUTE_S, OURS_A_MINUTE, ClientNoise, JsonFormatter, LimitedHandler


def log_record(name: str, level: int, message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, message, args, None)


def test_json_is_one_object_a_line() -> None:
    record = log_record("streams.lane", logging.ERROR, "partition %d", 3)
    try:
        int("a\nb")
    except ValueError:
        record.exc_info = sys.exc_info()
    line = JsonFormatter().format(record)
    assert "\n" not in line
    told = orjson.loads(line)
    assert (told["level"], told["logger"], told["message"]) == ("error", "streams.lane", "partition 3")
    assert "ValueError" in told["traceback"]
    assert told["time"].endswith("Z")


class Clock:
    """Stands still until it is moved."""

    now = 10.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    return clock


class Shown:
    """A handler, and the lines that it wrote."""

    def __init__(self) -> None:
        self._written = io.StringIO()
        self.handler = LimitedHandler(self._written)

    @property
    def lines(self) -> list[str]:
        return self._written.getvalue().splitlines()


def test_the_same_warning_is_shown_a_few_times_a_minute_and_the_others_are_counted(clock: Clock) -> None:
    shown = Shown()
    for number in range(100):
        shown.handler.handle(log_record("streams.lane.lane", logging.WARNING, "Partition %d waits", number))
    assert shown.lines == [f"Partition {number} waits" for number in range(OURS_A_MINUTE)]
    clock.now += MINUTE_S
    shown.handler.handle(log_record("streams.app", logging.INFO, "alive"))
    left_out = 100 - OURS_A_MINUTE
    assert shown.lines[OURS_A_MINUTE:] == [
        f"Partition 99 waits (and {left_out - 1} more like it in a minute, left out)",
        "alive",
    ]
    shown.handler.handle(log_record("streams.lane.lane", logging.WARNING, "Partition %d waits", 100))
    assert shown.lines[-1] == "Partition 100 waits"


def test_what_was_left_out_is_told_at_the_end(clock: Clock) -> None:  # noqa: ARG001  it stands still
    shown = Shown()
    for _ in range(CLIENTS_A_MINUTE + 3):
        shown.handler.handle(log_record("aiokafka.conn", logging.WARNING, "Unable to connect to %s", "k:1"))
    assert len(shown.lines) == CLIENTS_A_MINUTE
    shown.handler.close()
    assert shown.lines[-1] == "Unable to connect to k:1 (and 2 more like it in a minute, left out)"


def test_others_are_not_held_up_by_it(clock: Clock) -> None:  # noqa: ARG001  it stands still
    shown = Shown()
    for number in range(OURS_A_MINUTE + 5):
        shown.handler.handle(log_record("streams.lane.lane", logging.ERROR, "%s", f"error {number}"))
        shown.handler.handle(log_record("streams.lane.lane", logging.INFO, "informed"))
        shown.handler.handle(log_record("streams.lane.lane", logging.CRITICAL, "the end"))
    assert len(shown.lines) == 3 * (OURS_A_MINUTE + 5)


def test_our_errors_are_never_left_out(clock: Clock) -> None:  # noqa: ARG001  it stands still
    """Retention may have cut many partitions at once: each one's loss is told."""
    shown = Shown()
    for number in range(OURS_A_MINUTE + 5):
        shown.handler.handle(log_record("streams.lane.lane", logging.ERROR, "partition %d: records are lost", number))
    assert len(shown.lines) == OURS_A_MINUTE + 5


def test_what_was_left_out_stands_before_the_error_that_it_led_to(clock: Clock) -> None:  # noqa: ARG001  it stands still
    shown = Shown()
    for _ in range(OURS_A_MINUTE + 5):
        shown.handler.handle(log_record("streams.lane", logging.WARNING, "asking again"))
    shown.handler.handle(log_record("streams.lane", logging.ERROR, "refused"))
    shown.handler.close()
    assert shown.lines[-2:] == ["asking again (and 4 more like it in a minute, left out)", "refused"]


def test_programs_are_told_how_many_were_left_out(clock: Clock) -> None:  # noqa: ARG001  it stands still
    shown = Shown()
    shown.handler.setFormatter(JsonFormatter())
    for _ in range(OURS_A_MINUTE + 7):
        shown.handler.handle(log_record("streams.lane", logging.WARNING, "again"))
    shown.handler.close()
    assert [orjson.loads(line).get("left_out") for line in shown.lines] == [None] * OURS_A_MINUTE + [7]


def test_what_misleads_is_not_shown() -> None:
    text = "Got error produce response on topic-partition %s, retrying. Error: %s"
    misleading = log_record("aiokafka.producer.sender", logging.WARNING, text, "t-1", "NotEnoughReplicasError")
    assert not ClientNoise().filter(misleading)
    assert not ClientNoise().filter(log_record("streams.app", logging.INFO, "[^-App]: Starting..."))


@pytest.mark.parametrize(
    "words",
    [
        "[^---LaneThread]: Has not committed %r at all since worker start (started %s).",
        "[^---LaneThread]: Has not committed %r (last commit %s).",
        "[^---LaneThread]: Stream has not started processing %r (started %s).",
    ],
)
def test_what_faust_says_of_single_messages_is_not_shown(words: str) -> None:
    """Catches: an error in the log of a healthy worker, and a wrong one in that of a partition that stands still."""
    record = log_record("streams.lane.consumer_thread", logging.ERROR, words, "tp", "1 minute ago")
    assert not ClientNoise().filter(record)
    assert ClientNoise().filter(log_record("streams.lane.lane", logging.ERROR, "Partition %d stands still", 3))
