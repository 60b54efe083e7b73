"""The demo's traffic: a backlog of six hours, from the night to the promotion, and then life as it goes.

The shops' clock is set so that it is half past ten on the morning of Singles' Day there, whatever the hour is here: the
busiest time, and the same story every time.
"""

import asyncio
import time

import orjson

from streams.demo.tally import Tally
from streams.simulate import Record, SimulationOptions, simulate
from streams.simulate.options import BEIJING_OFFSET_MS, HOUR_MS, SINGLES_DAY_MS
from streams.simulate.publisher import Publisher, groups

SEED = 6
"""With this one every rule has its turn in the backlog."""
SHOPS = 10
AGENTS = 6
BACKLOG_HOURS = 6
LOCAL_NOW_MS = SINGLES_DAY_MS + BEIJING_OFFSET_MS + 2 * HOUR_MS
"""Half past ten, as local time."""
_LIVE_HOURS = 42
_PROMOTION_AGO_MS = HOUR_MS // 2


def demo_options(now_ms: int) -> SimulationOptions:
    """Two days of ten shops, of which the first six hours have passed at `now_ms`."""
    return SimulationOptions(
        seed=SEED,
        shops=SHOPS,
        agents=AGENTS,
        buyers=5000,
        rate=2.5,
        hours=BACKLOG_HOURS + _LIVE_HOURS,
        start_ms=now_ms - BACKLOG_HOURS * HOUR_MS,
        bad_share=0.006,
        bad_routing=True,
        promotion_ms=now_ms - _PROMOTION_AGO_MS,
        utc_offset_ms=LOCAL_NOW_MS - now_ms,
    )


class Feed:
    """Sends the traffic and remembers what it sent.

    Args:
        publisher: connected to the demo's broker.
        now_ms: where the backlog ends and life begins.
        tally: told of each buyer message.
    """

    def __init__(self, publisher: Publisher, now_ms: int, tally: Tally) -> None:
        self._publisher = publisher
        self._options = demo_options(now_ms)
        self._now_ms = now_ms
        self._tally = tally
        self.events = 0
        self.bad_records = 0
        self.backlog_events = 0
        self.backlog_messages = 0
        self.backlog_sent = asyncio.Event()

    @property
    def utc_offset_ms(self) -> int:
        """The shops' local time less UTC."""
        return self._options.utc_offset_ms

    async def run(self) -> None:
        """Send the backlog at once, then every record when its time comes; until cancelled, or two days have passed."""
        messages = 0
        for due_at_s, group in groups(simulate(self._options), speed=1, now_ms=self._now_ms):
            wait_s = due_at_s - time.monotonic()
            if wait_s > 0 and not self.backlog_sent.is_set():
                self.backlog_events, self.backlog_messages = self.events, messages
                self.backlog_sent.set()
            await asyncio.sleep(max(0.0, wait_s))
            messages += self._remember(group)
            await self._publisher.send(group)

    def _remember(self, group: list[Record]) -> int:
        """Count the records, and note the buyer messages; their number."""
        now_s, messages = time.monotonic(), 0
        for record in group:
            self.events += 1
            if record.spoiled:
                self.bad_records += 1
            elif record.topic == "buyer-messages" and record.value is not None:
                messages += 1
                self._tally.sent(orjson.loads(record.value)["event_id"], now_s, live=self.backlog_sent.is_set())
        return messages
