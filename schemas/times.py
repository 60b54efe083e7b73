"""What an event's time is, in words, and what it is instead where it is none: many give another unit, or text."""

import re

from schemas.events import MAX_TIME_MS, MIN_TIME_MS

EXPECTED = f"milliseconds since 1970 UTC, an integer from {MIN_TIME_MS} to {MAX_TIME_MS}"

_SECONDS = "; a smaller number is a time in seconds: multiply it by 1000"
_MICROSECONDS = "; this is a time in microseconds: divide it by 1000"
_NANOSECONDS = "; this is a time in nanoseconds: divide it by 1000000"
_DATE = "; this is a date as text: give the milliseconds that it stands for, with its time zone reckoned in"
_QUOTED = "; this is a number within quotes: leave the quotes out"
_LOOKS_LIKE_A_DATE = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}")


def mistaken(value: object) -> str:
    """Of what is no time: a sentence that says what it is and how to mend it, empty where that cannot be told."""
    if isinstance(value, str):
        text = value.strip()
        if text.isdecimal():
            return _QUOTED
        return _DATE if _LOOKS_LIKE_A_DATE.match(text) else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if value < MIN_TIME_MS:
        return _SECONDS
    if MIN_TIME_MS * 1_000 <= value <= MAX_TIME_MS * 1_000:
        return _MICROSECONDS
    return _NANOSECONDS if MIN_TIME_MS * 1_000_000 <= value <= MAX_TIME_MS * 1_000_000 else ""
