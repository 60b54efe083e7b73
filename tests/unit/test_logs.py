"""Logs: one object a line, no payloads, and no client that floods or misleads."""

import logging
import sys

import orjson
import pytest

from streams.logs import ClientNoise, JsonFormatter


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


def test_a_warning_of_a_client_is_shown_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 10.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    noise = ClientNoise()
    warning = log_record("aiokafka.conn", logging.WARNING, "Unable to connect to %s", "k:1")
    assert [noise.filter(warning) for _ in range(3)] == [True, False, False]
    now += 6
    assert noise.filter(warning)


def test_ours_are_always_shown() -> None:
    noise = ClientNoise()
    ours = log_record("streams.lane.lane", logging.WARNING, "again")
    assert [noise.filter(ours) for _ in range(3)] == [True, True, True]


def test_what_misleads_is_not_shown() -> None:
    text = "Got error produce response on topic-partition %s, retrying. Error: %s"
    misleading = log_record("aiokafka.producer.sender", logging.WARNING, text, "t-1", "NotEnoughReplicasError")
    assert not ClientNoise().filter(misleading)
    assert not ClientNoise().filter(log_record("streams.app", logging.INFO, "[^-App]: Starting..."))
