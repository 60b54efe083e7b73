"""Instants and durations, as people write them in options and read them in results."""

import re
import time
from datetime import datetime, timedelta, timezone, tzinfo
from typing import ClassVar

import click

from schemas.events import MAX_TIME_MS

BEIJING = timezone(timedelta(hours=8))
"""The shops' zone, and that of event times in options and results; it has had no summer time since 1991."""

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = range(946_684_800, MAX_TIME_MS // 1000 + 1)
"""2000 to 2100 in seconds; as milliseconds these are weeks of 1970, in which no shop was."""


def duration_ms(text: str) -> int | None:
    """Milliseconds of a number with a unit, as `90s`, `5m`, `2h` or `1d`; None if it is none."""
    match = _DURATION.fullmatch(text)
    return None if match is None else int(match[1]) * _UNIT_S[match[2]] * 1000


class EventInstant(click.ParamType):
    """An ISO 8601 instant, Beijing time without an offset, or milliseconds since 1970; its value is in the latter."""

    name = "instant"
    example: ClassVar[str] = "2025-11-11T08:30 or 1762821000000 (ms)"
    zone: ClassVar[tzinfo | None] = BEIJING

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970."""
        text = str(value).strip()
        number = int(text) if text.isascii() and text.isdigit() else None
        # Eight digits are a date of ISO 8601. More could be read as date and time, and are not meant so.
        at_ms = _iso_ms(text, self.zone) if number is None or len(text) == 8 else None
        if at_ms is None:
            at_ms = number
        if at_ms is None:
            self.fail(f"{value!r} is no instant: write it like {self.example}", param, ctx)
        if number is not None and number in _SECONDS:
            self.fail(f"{value!r} is a time in seconds: write {number * 1000} (milliseconds)", param, ctx)
        if number is not None and number // 1_000_000 in _SECONDS:
            self.fail(f"{value!r} is a time in microseconds: write {number // 1000} (milliseconds)", param, ctx)
        if not 0 <= at_ms <= MAX_TIME_MS:
            self.fail(f"{value!r} is not between 1970 and 2100", param, ctx)
        return at_ms


class Instant(EventInstant):
    """So long ago (`2h`), or an instant as above, but local time without an offset; its value is in ms since 1970."""

    example = "2h (so long ago), 2025-11-11T08:30 or 1762821000000 (ms)"
    zone = None

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970."""
        ago_ms = duration_ms(str(value))
        return super().convert(value, param, ctx) if ago_ms is None else time.time_ns() // 1_000_000 - ago_ms


def _iso_ms(text: str, zone: tzinfo | None) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 instant, in a zone (None: the local one) if it says none."""
    try:
        instant = datetime.fromisoformat(text)
        return round((instant if instant.tzinfo else instant.replace(tzinfo=zone)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def in_words(at_ms: int) -> str:
    """An instant in local time, to the second: `2025-11-11T08:30:00+08:00`."""
    return datetime.fromtimestamp(at_ms / 1000).astimezone().isoformat(timespec="seconds")


def in_beijing(at_ms: int) -> str:
    """An instant of event time in Beijing time, to the second: `2025-11-11T08:30:00+08:00`."""
    return datetime.fromtimestamp(at_ms // 1000, BEIJING).isoformat()
