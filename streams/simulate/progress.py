"""How far a simulation has come, on standard error: a bar on a terminal, plain lines elsewhere.

A file is written as fast as it goes, so a line for each tenth is enough; traffic that is paced may take hours.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from streams.simulate.options import SimulationOptions
from streams.simulate.record import Record

_EVERY = 5000
"""Records between two looks at the bar."""
_BAR_EVERY_S = 0.5
LINE_EVERY_S = 10.0
"""Of paced traffic: a line so often."""


class Counts:
    """Counts the records that pass, and shows how far they are in event time."""

    def __init__(self, options: SimulationOptions, now: Callable[[], float] = time.monotonic) -> None:
        self.options = options
        self.by_topic: Counter[str] = Counter()
        self._now = now

    @property
    def total(self) -> int:
        """All records so far."""
        return self.by_topic.total()

    def watch(self, records: Iterable[Record], *, paced: bool = False) -> Iterator[Record]:
        """Pass the records on; `paced`: they are taken when their time comes."""
        if sys.stderr.isatty():
            return self._bar(records, paced=paced)
        return self._lines_by_the_clock(records) if paced else self._lines(records)

    def _lines(self, records: Iterable[Record]) -> Iterator[Record]:
        start_ms, span_ms, by_topic = self.options.start_ms, self.options.span_ms, self.by_topic
        tenth, next_ms = 1, start_ms + span_ms // 10
        for record in records:
            if record.at_ms >= next_ms:
                tenth = (record.at_ms - start_ms) * 10 // span_ms
                click.echo(f"{tenth * 10} %, {self.total:,} records", err=True)
                next_ms = start_ms + span_ms * (tenth + 1) // 10
            by_topic[record.topic] += 1
            yield record

    def _lines_by_the_clock(self, records: Iterable[Record]) -> Iterator[Record]:
        options, next_s = self.options, self._now() + LINE_EVERY_S
        for record in records:
            if self._now() >= next_s:
                done = (record.at_ms - options.start_ms) / options.span_ms
                click.echo(f"{done:.1%}, {self.total:,} records", err=True)
                next_s = self._now() + LINE_EVERY_S
            self.by_topic[record.topic] += 1
            yield record

    def _bar(self, records: Iterable[Record], *, paced: bool) -> Iterator[Record]:
        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[records]:,} records"))
        console = Console(stderr=True)
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task("", total=self.options.span_ms, records=0)
            next_s = 0.0
            for number, record in enumerate(records):
                if (number % _EVERY == 0) if not paced else (self._now() >= next_s):
                    bar.update(task, completed=record.at_ms - self.options.start_ms, records=number)
                    next_s = self._now() + _BAR_EVERY_S
                self.by_topic[record.topic] += 1
                yield record
