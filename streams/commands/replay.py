"""`fenliu replay`: events of files in, assignments as JSON lines out."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from schemas.codec import encode
from streams.commands.instants import EventInstant
from streams.errors import ExitCode, UsageError
from streams.replay.lines import STANDARD_INPUT, size_bytes
from streams.replay.runner import BadLine, Replay, assignments_only
from streams.routing import Decision
from streams.shops_file import load_shops

CHUNK = 1000
"""Decisions a write, and events or bytes (times 100) between two looks at the progress."""


@click.command()
@click.argument("events", nargs=-1, required=True, metavar="EVENTS...")
@click.option(
    "--shops", type=click.Path(path_type=Path), metavar="SHOPS.yaml", help="Settings in force from the start."
)
@click.option(
    "--until",
    "until_ms",
    type=EventInstant(),
    metavar="INSTANT",
    help="Leave out events after this instant and fire timers up to it: ISO 8601 (Beijing time without an offset) or "
    "ms since 1970.  [default: the last event's time]",
)
@click.option("--presence", is_flag=True, help="Write presence events too.")
@click.option(
    "--dead-letters",
    "dead_letters",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write lines that cannot be used here, with the reason.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Merge as a cluster with N partitions does.  [default: each shop for itself]",
)
def replay(
    events: tuple[str, ...],
    shops: Path | None,
    until_ms: int | None,
    presence: bool,
    dead_letters: Path | None,
    partitions: int | None,
) -> int:
    """Route the events of files as the worker would, and write the assignments as JSON lines.

    EVENTS are JSON Lines files of buyer_message, agent_status, agent_reply and shop_config objects, each with its
    `type`; names that end in .gz are read unpacked, - is standard input. All events are held in memory, because lines
    need not be in time order: about half a kilobyte each.

    Exit code 1 says that some lines could not be used (they are on standard error, and the others were routed); 2 that
    a file or option cannot be used.
    """
    _check_files(events, shops, dead_letters)
    with ExitStack() as stack:
        letters = stack.enter_context(_create(dead_letters)) if dead_letters is not None else None
        run = Replay(
            shops=[] if shops is None else load_shops(shops),
            until_ms=until_ms,
            partitions=partitions,
            report=lambda bad: _report(bad, letters),
        )
        with _progress("reading", size_bytes(events)) as run.advance:
            order = run.read(events)
        with _progress("deciding", len(order)) as run.advance:
            decisions = run.decide(order)
            _write(decisions if presence else assignments_only(decisions))
    return ExitCode.FINDINGS if run.bad_lines else ExitCode.DONE


def _check_files(events: tuple[str, ...], shops: Path | None, dead_letters: Path | None) -> None:
    """Before anything is written: no input may be overwritten, and standard input is there only once."""
    read = [Path(name) for name in (*events, *([] if shops is None else [str(shops)])) if name != STANDARD_INPUT]
    if [*events, str(shops)].count(STANDARD_INPUT) > 1:
        raise UsageError("standard input can be read only once", mend="give - once, and files for the rest")
    if dead_letters is not None and dead_letters.exists() and any(_same(path, dead_letters) for path in read):
        raise UsageError(
            "--dead-letters would overwrite what is read", where=str(dead_letters), mend="name another file"
        )


def _same(path: Path, other: Path) -> bool:
    return path.exists() and path.samefile(other)


def _create(path: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path)) from None


def _report(bad: BadLine, letters: IO[bytes] | None) -> None:
    click.echo(bad, err=True)
    if letters is not None:
        letters.write(bad.to_json() + b"\n")


def _write(decisions: Iterator[Decision]) -> None:
    out = sys.stdout.buffer
    chunk: list[bytes] = []
    for decision in decisions:
        chunk.append(encode(decision))
        if len(chunk) == CHUNK:
            out.write(b"\n".join(chunk) + b"\n")
            chunk.clear()
    if chunk:
        out.write(b"\n".join(chunk) + b"\n")
    out.flush()


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error if that is a terminal; otherwise a line for every tenth part of a long file."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        waiting = done = told = 0

        def advance(step: int) -> None:
            nonlocal waiting, done, told
            waiting += step
            if waiting < CHUNK:
                return
            done += waiting
            progress.advance(task, waiting)
            waiting = 0
            if total is not None and total >= LONG and not console.is_terminal and done * 10 // total > told:
                told = done * 10 // total
                click.echo(f"{what}: {min(told, 10) * 10} %", err=True)

        yield advance


LONG = 500_000
"""Events, or bytes, from which on progress is told."""
