"""`fenliu tail`: follow an output topic."""

import asyncio
import time
from collections.abc import Collection
from datetime import datetime

import click
from aiokafka import ConsumerRecord
from rich.console import Console

from schemas.codec import InvalidEvent, decode_decision
from streams.commands.instants import duration_ms
from streams.commands.output import json_option, load_settings, write_bytes, write_json
from streams.demo.lines import LineMaker
from streams.demo.reader import RefusedRecord
from streams.redrive.letters import REDRIVEN
from streams.settings import Settings
from streams.topic_reader import topic_reader

_DAY_MS = 86_400_000

TOPICS = {"assignments": "assignments", "presence": "agent-presence", "dead-letters": "dead-letters"}


class Duration(click.ParamType):
    """A number with a unit, as `90s`, `5m`, `2h` or `1d`; its value is in milliseconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds."""
        length_ms = duration_ms(str(value))
        if length_ms is None:
            self.fail(f"{value!r} is no duration: write it like 90s, 5m, 2h or 1d", param, ctx)
        return length_ms


@click.command()
@click.argument("what", type=click.Choice(list(TOPICS)), default="assignments")
@click.option("--since", type=Duration(), metavar="5m", help="Begin so long ago; without it, with what is new.")
@click.option("--shop", multiple=True, metavar="SHOP", help="Only of this shop; several may be given.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Stop after so many records.")
@click.option("--follow/--no-follow", default=True, help="Wait for more at the end (default), or stop there.")
@json_option
def tail(what: str, since: int | None, shop: tuple[str, ...], limit: int | None, follow: bool, as_json: bool) -> None:
    """Follow assignments (the default), presence or dead-letters, until Ctrl-C.

    Only what was committed is shown. A line says when, where, who, by which rule and why; what is not of today, and
    everything with --since 1d or more, with its date and zone. --json writes each decision
    as it stands in the topic, one a line, and of a dead letter where it came from and why, without its value.
    """
    settings = load_settings()
    try:
        asyncio.run(_tail(settings, what, since, shops=shop, limit=limit, follow=follow, as_json=as_json))
    except KeyboardInterrupt:
        click.echo(err=True)


async def _tail(
    settings: Settings,
    what: str,
    since_ms: int | None,
    *,
    shops: Collection[str],
    limit: int | None,
    follow: bool,
    as_json: bool,
) -> None:
    show = _json_line if as_json else _Lines(dated=since_ms is not None and since_ms >= _DAY_MS)
    keys = {shop.encode() for shop in shops}
    count = 0
    async with topic_reader(settings, settings.topic(TOPICS[what])) as reader:
        if since_ms is not None:
            await reader.from_instant(time.time_ns() // 1_000_000 - since_ms)
        async for record in reader.follow() if follow else reader.to_end():
            if any(name == REDRIVEN for name, _ in record.headers):
                continue  # a marker of `fenliu dlq redrive`: it is about letters, and is none
            if keys and record.key not in keys:
                continue
            show(record)
            count += 1
            if count == limit:
                return


def _json_line(record: ConsumerRecord) -> None:
    """A decision as it is, or a dead letter's headers."""
    headers = dict(record.headers)
    if "fenliu.error" not in headers:
        write_bytes((record.value or b"null") + b"\n")
        return
    told: dict[str, object] = {"partition": record.partition, "offset": record.offset, "timestamp_ms": record.timestamp}
    told["key"] = None if record.key is None else record.key.decode(errors="replace")
    told["headers"] = {name: (value or b"").decode(errors="replace") for name, value in headers.items()}
    write_json(told, indent=False)


class LocalLineMaker(LineMaker):
    """Makes lines with local times; with date and zone too where the time of day alone would mislead.

    Args:
        dated: whether all lines have them, not only those that are not of today.
        compact: as of LineMaker.
    """

    def __init__(self, *, dated: bool, compact: bool) -> None:
        super().__init__(0, compact=compact)
        self._dated = dated

    def time_of_day(self, at_ms: int) -> str:
        """The time of day, or all of it: `2025-11-11 08:30:00+08:00`."""
        at = datetime.fromtimestamp(at_ms / 1000).astimezone()
        today = at.date() == datetime.now().astimezone().date()
        return f"{at:%H:%M:%S}" if today and not self._dated else at.isoformat(sep=" ", timespec="seconds")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command end as all do when their reader goes away; rich would exit with 1, which means findings."""
        raise BrokenPipeError


class _Lines:
    """Shows records as lines: with colours on a terminal, plain in a pipe.

    Args:
        dated: whether all lines have a date.
    """

    def __init__(self, *, dated: bool) -> None:
        self._console = _Console(soft_wrap=True, highlight=False)
        compact = self._console.is_terminal and self._console.width < 120
        self._lines = LocalLineMaker(dated=dated, compact=compact)

    def __call__(self, record: ConsumerRecord) -> None:
        """Show one."""
        headers = dict(record.headers)
        if "fenliu.error" in headers:
            self._console.print(self._lines.line(_refused(record, headers)))
            return
        try:
            self._console.print(self._lines.line(decode_decision(record.value or b"null")))
        except InvalidEvent as invalid:
            where = f"{record.topic}, partition {record.partition}, offset {record.offset}"
            self._console.print(f"{where}: not written by fenliu: {invalid}")


def _refused(record: ConsumerRecord, headers: dict[str, bytes | None]) -> RefusedRecord:
    return RefusedRecord(
        code=_printable(headers.get("fenliu.error")),
        detail=_printable(headers.get("fenliu.error.detail")),
        topic=_printable(headers.get("fenliu.topic")),
        at_ms=record.timestamp,
        key=_printable(record.key),
    )


def _printable(content: bytes | None) -> str:
    """Text that changes nothing on a terminal: whoever can write a bad record must not write on our screen."""
    return "".join(char if char.isprintable() else "\ufffd" for char in (content or b"").decode(errors="replace"))
