"""The demo from the first process to the last: broker, topics, a backlog, a worker, life, and a summary."""

import asyncio
import signal
import time
from contextlib import suppress

from rich.text import Text

from streams.demo.lines import LineMaker, Sampler
from streams.demo.reader import Reader, Seen, reader
from streams.demo.screen import Screen
from streams.demo.stage import PARTITIONS, Stage
from streams.demo.summary import summary
from streams.demo.tally import Tally, quantile
from streams.demo.traffic import BACKLOG_HOURS, SHOPS, Feed
from streams.simulate.publisher import publisher

LINES_PER_S = 8.0
"""What a person reads along without hurry."""
_TICK_S = 0.25
_LIVE_AT_LEAST_S = 3.0
_OVERTIME_S = 90.0
"""On a slow machine the demo goes on so much longer, to route the backlog and to time some live messages."""
_FIRST_DECISION_WITHIN_S = 60.0
_DRAIN_S = 0.5


class Demo:
    """One run of the demo.

    Args:
        screen: where it speaks.
        seconds: how long it shows what the worker does; None until Ctrl-C.
    """

    def __init__(self, screen: Screen, seconds: float | None) -> None:
        self._screen = screen
        self._seconds = seconds
        self._stop = asyncio.Event()
        self._tally = Tally()
        self._sampler = Sampler(LINES_PER_S)

    async def run(self) -> None:
        """Start everything, show it, and stop and remove everything.

        Raises:
            FenliuError: if a part does not start, or ends by itself.
        """
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in signals:
            loop.add_signal_handler(number, self._stop.set)
        try:
            async with Stage() as stage:
                await self._prepare(stage)
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def _prepare(self, stage: Stage) -> None:
        """The broker, the topics and the backlog; then `_watch`."""
        screen = self._screen
        screen.say(Text("fenliu: who answers which buyer (客服分流)", style="bold"))
        await stage.start_broker()
        screen.step("broker", f"{stage.broker_version}, in a temporary directory")
        topics = await stage.create_topics()
        screen.step("topics", f"{topics} topics, {PARTITIONS} partitions for each input")
        async with publisher(stage.settings) as to_topics:
            feed = Feed(to_topics, time.time_ns() // 1_000_000, self._tally)
            feeding = asyncio.create_task(feed.run())
            try:
                with screen.figures():
                    await self._until_sent(feed, feeding)
                if not self._stop.is_set():
                    screen.step(
                        "traffic",
                        f"{feed.backlog_events:,} events of {SHOPS} shops over {BACKLOG_HOURS} hours: settings, "
                        f"messages, replies, agent status; {feed.bad_records:,} bad on purpose",
                    )
                    await self._watch(stage, feed, feeding)
            finally:
                feeding.cancel()
                with suppress(asyncio.CancelledError):
                    await feeding

    async def _watch(self, stage: Stage, feed: Feed, feeding: asyncio.Task[None]) -> None:
        """The worker, what it decides, and at the end the summary."""
        screen = self._screen
        process_id = stage.start_worker()
        screen.step("worker", f"process {process_id}, metrics at {stage.metrics_url}")
        screen.say(
            "\nIn the shops it is 10:30 on Singles' Day (双十一). Some of what it decides for the hours before:\n"
        )
        lines = LineMaker(feed.utc_offset_ms, compact=screen.is_narrow)
        async with reader(stage.settings) as outputs:
            with screen.figures():
                await self._show(stage, feed, feeding, outputs, lines)
            live_s = time.monotonic() - (self._tally.caught_up_at_s or time.monotonic())
            screen.say(Text("\nStopping: the worker commits what is under way and leaves.", style="dim"))
            series = _series(await stage.read_metrics())
            feeding.cancel()
            await stage.stop_worker()
            ends_at_s = time.monotonic() + _DRAIN_S
            while time.monotonic() < ends_at_s:
                self._count(await outputs.read())
        screen.say(summary(self._tally, feed, live_s=live_s, metrics_url=stage.metrics_url, series=series))

    async def _show(
        self, stage: Stage, feed: Feed, feeding: asyncio.Task[None], outputs: Reader, lines: LineMaker
    ) -> None:
        """Lines as decisions come, until it is time to stop."""
        tally, screen = self._tally, self._screen
        began_at_s = shown_at_s = time.monotonic()
        while not self._stop.is_set() and not self._is_over():
            self._count(await outputs.read())
            stage.check_alive()
            if feeding.done():
                feeding.result()
            if tally.caught_up_at_s is None and not tally.backlog_left:
                tally.note_caught_up()
                now = lines.time_of_day(time.time_ns() // 1_000_000)
                screen.line(Text(f"\n{now}  The backlog is routed; from here on it is live.\n", style="bold"))
            elapsed_s = time.monotonic() - shown_at_s
            if tally.first_at_s is None and time.monotonic() - began_at_s > _FIRST_DECISION_WITHIN_S:
                raise stage.failure(f"the worker decided nothing within {_FIRST_DECISION_WITHIN_S:.0f} s")
            if elapsed_s >= _TICK_S:
                shown_at_s += elapsed_s
                chosen, _ = self._sampler.take(elapsed_s)
                for seen in chosen:
                    screen.line(lines.line(seen))
                screen.status(self._figures(feed))

    def _count(self, seen: list[Seen]) -> None:
        for item in seen:
            self._tally.count(item)
            self._sampler.offer(item)

    def _is_over(self) -> bool:
        """Whether the time is up: in overtime only until there is something to tell."""
        if self._seconds is None or self._tally.first_at_s is None:
            return False
        now_s = time.monotonic()
        over_s = now_s - self._tally.first_at_s - self._seconds
        if self._tally.caught_up_at_s is None:
            return over_s > _OVERTIME_S
        return over_s > 0 and now_s - self._tally.caught_up_at_s > _LIVE_AT_LEAST_S

    def _figures(self, feed: Feed) -> str:
        tally = self._tally
        if tally.first_at_s is None:
            return "the worker is starting"
        counts = f"{tally.assignments:,} assignments, {tally.dead_letters:,} dead letters"
        if tally.caught_up_at_s is None:
            share = 100 - 100 * tally.backlog_left // max(1, feed.backlog_messages)
            return f"backlog {share} %: {counts}"
        p50, p99 = quantile(tally.latencies_s, 0.5), quantile(tally.latencies_s, 0.99)
        latency = f", p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms" if p50 is not None and p99 is not None else ""
        until = "" if self._seconds else "; Ctrl-C ends it"
        return f"live: {counts}{latency}{until}"

    async def _until_sent(self, feed: Feed, feeding: asyncio.Task[None]) -> None:
        """Wait until the backlog is on the broker; a signal or a failure of the feed ends it, too."""
        while not (self._stop.is_set() or feed.backlog_sent.is_set() or feeding.done()):
            self._screen.status(f"making traffic: {feed.events:,} events")
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await feed.backlog_sent.wait()
        if feeding.done():
            feeding.result()


def _series(metrics: str | None) -> int | None:
    return None if metrics is None else sum(1 for line in metrics.splitlines() if line and not line.startswith("#"))
