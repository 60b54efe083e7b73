"""`fenliu replay`: events of files in, assignments as JSON lines out."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from schemas.codec import encode
from schemas.decisions import Assignment
from streams.commands.instants import EventInstant
from streams.commands.output import show_warnings
from streams.commands.replay_words import misfits, show
from streams.errors import ExitCode, UsageError
from streams.replay.lines import STANDARD_INPUT, size_bytes
from streams.replay.runner import BadLine, Replay
from streams.replay.strict import UnknownFields
from streams.routing import Decision
from streams.shops_file import usable_shops

CHUNK = 1000
"""Decisions a write (presence included), and events or bytes (times 100) between two looks at the progress."""


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
@click.option(
    "--settings",
    "whose",
    type=click.Choice(["file", "events"]),
    help="Whose settings count where a shop has some in SHOPS.yaml and others in the events: those of the file to the "
    "end, or those of the events from the time of each on.  [default: those of the events, with a warning]",
)
@click.option("--strict", is_flag=True, help="Name the fields that no event has and that are ignored; exit code 1.")
@click.option("--quiet", "-q", is_flag=True, help="No summary and no progress on standard error.")
@click.option(
    "--json-summary",
    "json_summary",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the summary here, as JSON.",
)
def replay(
    *, events: tuple[str, ...], shops: Path | None, until_ms: int | None, presence: bool, dead_letters: Path | None,
    partitions: int | None, whose: str | None, strict: bool, quiet: bool, json_summary: Path | None,
) -> int:  # fmt: skip
    """Route the events of files as the worker would, and write the assignments as JSON lines.

    EVENTS are JSON Lines files of buyer_message, agent_status, agent_reply and shop_config objects, each with its
    `type`; what is gzipped is read unpacked, - is standard input. All events are held in memory, because lines need not
    be in time order: about half a kilobyte each. A summary goes to standard error.

    Exit code 1 says that some lines could not be used (they are on standard error, and the others were routed), or that
    --strict found something; 2 that a file or option cannot be used.
    """
    if whose is not None and shops is None:
        raise click.UsageError("--settings says whether the settings of SHOPS.yaml count, and needs --shops")
    _check_files(events, shops, {"--dead-letters": dead_letters, "--json-summary": json_summary})
    file = None if shops is None else usable_shops(shops)
    show_warnings([] if file is None else file.warnings)
    unknown = UnknownFields()
    with ExitStack() as stack:
        letters = stack.enter_context(_create(dead_letters)) if dead_letters is not None else None
        figures = stack.enter_context(_create(json_summary)) if json_summary is not None else None
        run = Replay(
            shops=[] if file is None else [shop.change for shop in file.shops],
            until_ms=until_ms,
            partitions=partitions,
            shops_hold=whose == "file",
            report=lambda bad: _report(bad, letters),
            look=unknown.look if strict else None,
        )
        with _progress("reading", size_bytes(events), quiet=quiet) as run.advance:
            order = run.read(events)
        show_warnings(unknown)
        if file is not None and order:
            show_warnings(misfits(file, run.summary, chosen=whose is not None))
        with _progress("deciding", len(order), quiet=quiet) as run.advance:
            _write(run.decide(order), run.summary.assignments, presence=presence)
        if figures is not None:
            figures.write(orjson.dumps(run.summary.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    if not quiet:
        show(run.summary, events, until_ms=until_ms)
    return ExitCode.FINDINGS if run.bad_lines or unknown else ExitCode.DONE


def _check_files(events: tuple[str, ...], shops: Path | None, outputs: dict[str, Path | None]) -> None:
    """Before anything is written: no input may be overwritten, and standard input is there only once."""
    taken = [Path(name) for name in (*events, *([] if shops is None else [str(shops)])) if name != STANDARD_INPUT]
    if [*events, str(shops)].count(STANDARD_INPUT) > 1:
        raise UsageError("standard input can be read only once", mend="give - once, and files for the rest")
    for option, path in outputs.items():
        if path is not None and any(_same(path, other) for other in taken):
            raise UsageError(f"{option} would overwrite what is read or written", where=str(path), mend="name another")
        taken += [] if path is None else [path]


def _same(path: Path, other: Path) -> bool:
    if path.exists() and other.exists():
        return path.samefile(other)
    return path.absolute() == other.absolute()


def _create(path: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path)) from None


def _report(bad: BadLine, letters: IO[bytes] | None) -> None:
    click.echo(bad, err=True)
    if letters is not None:
        letters.write(bad.to_json() + b"\n")


def _write(decisions: Iterator[Decision], by_rule: Counter[str], *, presence: bool) -> None:
    """Write the decisions in order, and count the assignments among them by rule."""
    out = sys.stdout.buffer
    while chunk := list(islice(decisions, CHUNK)):
        assignments = [decision for decision in chunk if isinstance(decision, Assignment)]
        by_rule.update(assignment.rule for assignment in assignments)
        shown: Sequence[Decision] = chunk if presence else assignments
        if shown:
            out.write(b"\n".join(map(encode, shown)) + b"\n")
    out.flush()


@contextmanager
def _progress(what: str, total: int | None, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on standard error if that is a terminal; otherwise a line for every tenth part of a long file."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
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
            if quiet or console.is_terminal or total is None or total < LONG:
                return
            if done * 10 // total > told:
                told = done * 10 // total
                click.echo(f"{what}: {min(told, 10) * 10} %", err=True)

        yield advance


LONG = 500_000
"""Events, or bytes, from which on progress is told."""
