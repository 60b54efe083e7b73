"""Instants and durations, as people write them in options and read them in results."""

import re
import time
from datetime import datetime

import click

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,6})([smhd])")


def duration_ms(text: str) -> int | None:
    """Milliseconds of a number with a unit, as `90s`, `5m`, `2h` or `1d`; None if it is none."""
    match = _DURATION.fullmatch(text)
    return None if match is None else int(match[1]) * _UNIT_S[match[2]] * 1000


class Instant(click.ParamType):
    """So long ago (`2h`), or an ISO 8601 instant, local time without an offset; its value is in ms since 1970."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970."""
        ago_ms = duration_ms(str(value))
        if ago_ms is not None:
            return time.time_ns() // 1_000_000 - ago_ms
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no instant: write it like 2h (so long ago) or 2025-11-11T08:30", param, ctx)
        return round(instant.timestamp() * 1000)


def in_words(at_ms: int) -> str:
    """An instant in local time, to the second: `2025-11-11T08:30:00+08:00`."""
    return datetime.fromtimestamp(at_ms / 1000).astimezone().isoformat(timespec="seconds")
