"""The times of `fenliu tail`'s lines."""

import re
import time
from datetime import datetime

from streams.commands.tail import LocalLineMaker

NOW_MS = int(time.time() * 1000)
DAY_MS = 86_400_000


def test_what_is_of_another_day_has_its_date_and_zone() -> None:
    shown = LocalLineMaker(dated=False, compact=False).time_of_day(NOW_MS - 2 * DAY_MS)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", shown)
    assert datetime.fromisoformat(shown).timestamp() == (NOW_MS - 2 * DAY_MS) // 1000


def test_of_today_the_time_of_day_is_enough_unless_days_are_asked_for() -> None:
    noon_ms = int(datetime.now().astimezone().replace(hour=12, minute=0, second=0).timestamp() * 1000)
    assert LocalLineMaker(dated=False, compact=False).time_of_day(noon_ms) == "12:00:00"
    assert LocalLineMaker(dated=True, compact=False).time_of_day(noon_ms)[10:19] == " 12:00:00"
