"""`fenliu dlq`: what lies in the dead-letters topic, and sending it back."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from schemas.codec import RANK
from schemas.errors import Code
from streams.commands.instants import Instant, in_words
from streams.commands.letters import printable, write_block, write_line, write_outcome, write_outcome_as_json
from streams.commands.output import json_option, load_settings, write_json
from streams.errors import ExitCode, UsageError
from streams.redrive.letters import Group, LetterId, Selection, grouped
from streams.redrive.mended import Mended, editable, read_mended
from streams.redrive.run import look, redrive, with_values
from streams.settings import Settings

PROGRESS_EVERY_S = 1.0
"""How often it is told how far sending is."""


class _LetterType(click.ParamType):
    """A letter's place, `3:17`."""

    name = "letter"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> LetterId:
        """Partition and offset."""
        try:
            return LetterId.parse(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which letters are meant."""
    for option in (
        click.option("--until", type=Instant(), metavar="2h|ISO", help="Only those refused before it."),
        click.option("--since", type=Instant(), metavar="2h|ISO", help="Only those refused since then."),
        click.option("--shop", multiple=True, metavar="KEY", help="Only those with this key."),
        click.option("--topic", multiple=True, type=click.Choice(list(RANK)), help="Only those of this input topic."),
        click.option("--code", multiple=True, type=click.Choice(get_args(Code)), help="Only those with this code."),
    ):
        command = option(command)
    return command


def _selection(ids: tuple[LetterId, ...], filters: dict[str, Any]) -> Selection:
    return Selection(
        ids=frozenset(ids),
        codes=frozenset(filters["code"]),
        topics=frozenset(filters["topic"]),
        shops=frozenset(filters["shop"]),
        since_ms=filters["since"],
        until_ms=filters["until"],
    )


@click.group()
def dlq() -> None:
    """See dead letters: how many, of which kind, which; and send them back, once.

    A letter is named by its partition and offset in the topic dead-letters, as 3:17. What was sent back stays there,
    and counts as sent.
    """


@dlq.command()
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(["code", "topic", "shop", "hour", "day"]),
    default=("code", "topic"),
    show_default=True,
    help="What to count by; several may be given.",
)
@_filters
@json_option
def ls(by: tuple[str, ...], as_json: bool, **filters: Any) -> None:
    """Count them by code and topic, shop (the key) or time: how many, how many not sent back, from when to when."""
    contents = asyncio.run(look(load_settings(), _selection((), filters)))
    groups = grouped(contents, by, in_words)
    if as_json:
        write_json(
            {
                "letters": len(contents.letters),
                "open": len(contents.open()),
                "others": contents.others,
                "groups": [_group_as_json(by, group) for group in groups],
            }
        )
        return
    for group in groups:
        came = f"  {group.returned} came back" if group.returned else ""
        named = "  ".join(f"{printable(part):{width}}" for part, width in zip(group.by, _widths(groups), strict=True))
        click.echo(
            f"{group.open:8} open of {group.letters:<8} {named}  {in_words(group.first_ms)} to "
            f"{in_words(group.last_ms)}{came}"
        )
    click.echo(f"{len(contents.open()):8} open of {len(contents.letters)} letters", err=not groups)


def _widths(groups: list[Group]) -> list[int]:
    return [
        max(len(printable(part)) for part in column) for column in zip(*(group.by for group in groups), strict=True)
    ]


def _group_as_json(by: tuple[str, ...], group: Group) -> dict[str, object]:
    told: dict[str, object] = dict(zip(by, group.by, strict=True))
    return told | {name: getattr(group, name) for name in ("letters", "open", "returned", "first_ms", "last_ms")}


@dlq.command()
@click.argument("letters", nargs=-1, type=_LetterType(), metavar="[LETTER]...")
@_filters
@click.option("--sent", is_flag=True, help="Also those that were sent back.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The newest N of them.")
@click.option("--payload", is_flag=True, help="With their values and headers, which may hold what buyers wrote.")
@json_option
def show(
    letters: tuple[LetterId, ...], sent: bool, limit: int | None, payload: bool, as_json: bool, **filters: Any
) -> None:
    """Show them: where each was, when, and why it was refused. Values only with --payload.

    Letters that are named are shown whether they were sent back or not. With --json a line is a letter; with --payload
    too, it is what `fenliu dlq redrive --from` takes, once it is mended.
    """
    asyncio.run(_show(load_settings(), _selection(letters, filters), sent, limit, payload=payload, as_json=as_json))


async def _show(
    settings: Settings, selection: Selection, sent: bool, limit: int | None, *, payload: bool, as_json: bool
) -> None:
    contents = await look(settings, selection)
    shown = contents.letters if sent or selection.ids else contents.open()
    shown = sorted(shown, key=lambda letter: letter.refused_at_ms)[-(limit or 0) :]
    write = write_line if as_json else write_block
    if not payload:
        for letter in shown:
            write(letter, contents, None)
        return
    async for letter, record in with_values(settings, shown):
        value = None if "null" in letter.cut else record.value
        headers = {name: (content or b"").decode(errors="replace") for name, content in record.headers}
        own = {name: content for name, content in headers.items() if not name.startswith("fenliu.")}
        write(letter, contents, editable(value) | {"headers": own})


@dlq.command("redrive")
@click.argument("letters", nargs=-1, type=_LetterType(), metavar="[LETTER]...")
@_filters
@click.option("--all", "everything", is_flag=True, help="All that are there.")
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Send mended ones: lines of `show --json --payload`, edited. - is standard input.",
)
@click.option(
    "--replace-newer",
    multiple=True,
    metavar="SHOP",
    help="Send settings of SHOP although it has newer ones, which they replace.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@json_option
def redrive_command(
    letters: tuple[LetterId, ...], everything: bool, file: Path | None, replace_newer: tuple[str, ...], dry_run: bool,
    as_json: bool, **filters: Any,
) -> int:  # fmt: skip
    """Send letters back to their input topics, each once, however often this is called or killed.

    Name letters, or say which by options, or --all, or give mended ones with --from. What would be refused again is not
    sent, nor are settings of a shop that has newer ones. The letters of a shop go in the order in which they came.
    Exit code 1 says that some were left out.
    """
    selection = _selection(letters, filters)
    if sum((selection != Selection(), everything, file is not None)) != 1:
        raise UsageError(
            "say which letters to send back",
            mend="name them (3:17), or give --code, --topic, --shop, --since, --until, or --all, or --from FILE alone",
        )
    mended = None if file is None else _mended(file)
    outcome = asyncio.run(
        redrive(
            load_settings(),
            selection,
            mended=mended,
            dry_run=dry_run,
            replace_newer=replace_newer,
            progress=_Progress(dry_run=dry_run),
        )
    )
    (write_outcome_as_json if as_json else write_outcome)(outcome, dry_run=dry_run)
    return ExitCode.FINDINGS if outcome.findings else ExitCode.DONE


def _mended(file: Path) -> dict[LetterId, Mended]:
    if str(file) == "-":
        return read_mended(sys.stdin.buffer, "standard input")
    try:
        with file.open("rb") as lines:
            return read_mended(lines, str(file))
    except OSError as exc:
        raise UsageError(f"cannot be read: {exc.strerror}", where=str(file), mend="check the path") from exc


class _Progress:
    """Says on standard error how far it is, now and then."""

    def __init__(self, *, dry_run: bool) -> None:
        self._verb = "looked at" if dry_run else "done"
        self._next_at = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, done: int, of: int) -> None:
        """So many of so many."""
        if time.monotonic() >= self._next_at or done == of:
            self._next_at = time.monotonic() + PROGRESS_EVERY_S
            click.echo(f"fenliu: {done} of {of} letters {self._verb}", err=True)
