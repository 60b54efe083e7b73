"""How far a simulation has come, on standard error: a bar on a terminal, a plain line for each tenth elsewhere."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from streams.simulate.options import SimulationOptions
from streams.simulate.record import Record

_EVERY = 5000


class Counts:
    """Counts the records that pass, and shows how far they are in event time."""

    def __init__(self, options: SimulationOptions) -> None:
        self.options = options
        self.by_topic: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All records so far."""
        return self.by_topic.total()

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass the records on."""
        shown = self._bar(records) if sys.stderr.isatty() else self._lines(records)
        yield from shown

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

    def _bar(self, records: Iterable[Record]) -> Iterator[Record]:
        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[records]:,} records"))
        console = Console(stderr=True)
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task("", total=self.options.span_ms, records=0)
            for number, record in enumerate(records):
                if number % _EVERY == 0:
                    bar.update(task, completed=record.at_ms - self.options.start_ms, records=number)
                self.by_topic[record.topic] += 1
                yield record
