"""Instants in options: ISO 8601 or milliseconds, and what else looks like a time."""

import time
from datetime import datetime

import click
import pytest

from streams.commands.instants import EventInstant, Instant, in_beijing

SINGLES_DAY_MS = 1_762_821_000_000


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2025-11-11T08:30", SINGLES_DAY_MS),
        ("2025-11-11 08:30:00", SINGLES_DAY_MS),
        (" 2025-11-11T08:30 ", SINGLES_DAY_MS),
        ("2025-11-11T00:30Z", SINGLES_DAY_MS),
        ("2025-11-10T19:30:00.250-05:00", SINGLES_DAY_MS + 250),
        ("2025-11-11", SINGLES_DAY_MS - 30_600_000),
        ("20251111", SINGLES_DAY_MS - 30_600_000),
        ("1762821000000", SINGLES_DAY_MS),
        ("0", 0),
        ("59999", 59_999),
        ("99999999", 99_999_999),  # no date, so milliseconds
        ("4102444800000", 4_102_444_800_000),
    ],
)
def test_event_times_are_beijing_time_or_milliseconds(text: str, at_ms: int) -> None:
    assert EventInstant().convert(text, None, None) == at_ms


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("noon", "write it like 2025-11-11T08:30 or 1762821000000"),
        ("2h", "write it like"),
        ("2026/03/02", "write it like"),
        ("", "write it like"),
        ("-1", "write it like"),
        ("\u0662\u0660\u0662\u0665", "write it like"),
        ("1762821000", "is a time in seconds: write 1762821000000 (milliseconds)"),
        ("1762821000000000", "is a time in microseconds: write 1762821000000 (milliseconds)"),
        ("4102444800001", "is not between 1970 and 2100"),
        ("1969-12-31", "is not between 1970 and 2100"),
        ("0001-01-01", "is not between 1970 and 2100"),
    ],
)
def test_what_is_none_is_told_with_how_to_write_it(text: str, told: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        EventInstant().convert(text, None, None)
    assert told in refused.value.message


def test_letters_are_of_local_time_or_milliseconds() -> None:
    assert Instant().convert("2025-11-11T08:30", None, None) == datetime(2025, 11, 11, 8, 30).timestamp() * 1000  # noqa: DTZ001
    assert Instant().convert("1762821000000", None, None) == SINGLES_DAY_MS


def test_letters_may_be_of_so_long_ago() -> None:
    assert abs(Instant().convert("2h", None, None) + 7_200_000 - time.time_ns() // 1_000_000) < 60_000
    with pytest.raises(click.BadParameter, match=r"write it like 2h \(so long ago\)"):
        Instant().convert("2y", None, None)


def test_event_times_are_shown_in_beijing_time() -> None:
    assert in_beijing(SINGLES_DAY_MS + 999) == "2025-11-11T08:30:00+08:00"
