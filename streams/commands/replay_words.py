"""What `fenliu replay` says on standard error: how settings and events fit each other, and the summary at the end."""

from collections.abc import Iterator, Sequence

import click
from rich.console import Console
from rich.table import Table

from streams.commands.instants import in_beijing
from streams.demo.words import term
from streams.names import do_you_mean
from streams.replay.lines import STANDARD_INPUT, shown
from streams.replay.summary import Summary, ranked
from streams.shops_file import ShopsFile
from streams.tables import counts, facts

_NAMED = 5
"""So many of one kind are named; of the others it is said how many there are."""
_PLAIN_WIDTH = 120
"""Characters of a line where no terminal says how wide it is."""


def misfits(shops: ShopsFile, summary: Summary, *, chosen: bool) -> Iterator[str]:
    """Sentences on settings that meet no events, events that meet no settings, and settings on both sides.

    Args:
        shops: the settings given with --shops.
        summary: of the events that were read.
        chosen: whether it was said whose settings count.
    """
    bare = sorted(summary.shops - summary.configured - summary.given)
    idle = [shop for shop in shops.shops if shop.change.shop_id not in summary.shops]
    for shop in idle[:_NAMED]:
        shop_id = shop.change.shop_id
        yield f"{shop.place}: {shop_id} has settings here, and no event is of it{do_you_mean(shop_id, bare)}"
    if len(idle) > _NAMED:
        yield f"{shops.name}: {len(idle) - _NAMED} more shops have settings here, and no event is of them"
    if bare:
        have, them = ("has", "it") if len(bare) == 1 else ("have", "them")
        yield (
            f"{_some(bare)} {have} events and no settings, neither in {shops.name} nor in the events: the defaults "
            f"hold for {them}"
        )
    if not chosen:
        yield from _overridden(shops, summary)


def _overridden(shops: ShopsFile, summary: Summary) -> Iterator[str]:
    both = [shop for shop in shops.shops if shop.change.shop_id in summary.overrides]
    for shop in both[:_NAMED]:
        line, at_ms = summary.overrides[shop.change.shop_id]
        yield (
            f"{shop.place}: {shop.change.shop_id} has other settings in the events, which replace these from "
            f"{in_beijing(at_ms)} on ({line.place})"
        )
    if len(both) > _NAMED:
        yield f"{shops.name}: so it is with {len(both) - _NAMED} more shops"
    if both:
        yield (
            "to try the settings of the file: --settings file leaves those of the events out; if it is meant so: "
            "--settings events"
        )


def show(summary: Summary, names: Sequence[str], *, until_ms: int | None) -> None:
    """Write the summary to standard error, with colours on a terminal and plain elsewhere."""
    if not sum(summary.events.values()):
        click.echo(f"fenliu: there is nothing to route: {_nothing(summary, names, until_ms)}", err=True)
        if not summary.bad_lines:
            return
    tables = [facts("Summary", list(_facts(summary, until_ms)))]
    if summary.assignments:
        rows = [(rule, term(rule), count) for rule, count in ranked(summary.assignments)]
        tables.append(counts("Assignments by rule 分流规则", rows))
    if summary.bad_lines:
        tables.append(counts("Bad lines by code 死信", [(code, "", n) for code, n in ranked(summary.bad_lines)]))
    _print(tables)
    for sentence in _phones(summary):
        click.echo(sentence, err=True)


def _print(tables: Sequence[Table]) -> None:
    console = Console(stderr=True)
    if not console.is_terminal:
        console = Console(stderr=True, width=_PLAIN_WIDTH)
    with console.capture() as capture:
        console.print(tables[0])
        for table in tables[1:]:
            console.print("", table, sep="\n")
    for line in capture.get().splitlines():
        click.echo(line.rstrip(), err=True)


def _nothing(summary: Summary, names: Sequence[str], until_ms: int | None) -> str:
    files = ", ".join("standard input" if name == STANDARD_INPUT else shown(name) for name in names)
    if summary.after_until and until_ms is not None:
        return f"all {summary.after_until:,} events of {files} are after --until {in_beijing(until_ms)}"
    if summary.bad_lines:
        return f"no line of {files} can be used"
    return f"{files} {'is' if len(names) == 1 else 'are'} empty"


def _facts(summary: Summary, until_ms: int | None) -> Iterator[tuple[str, str]]:
    total, stats = sum(summary.events.values()), summary.stats
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in summary.events.items() if count)
    yield "events", f"{total:,}: {kinds}" if total else "0"
    if summary.first_ms is not None and summary.last_ms is not None:
        yield "first", in_beijing(summary.first_ms)
        yield "last", in_beijing(summary.last_ms)
    if summary.after_until and until_ms is not None:
        yield "left out", f"{summary.after_until:,} events after --until {in_beijing(until_ms)}"
    if summary.settings_left_out:
        yield "left out", f"{summary.settings_left_out:,} settings of the events (--settings file)"
    yield "shops", _shops(summary)
    yield "duplicate messages", f"{stats.duplicate_messages:,}"
    yield "late events", f"{stats.late_events:,}"
    phones = summary.phones.total()
    parts = f": {stats.stale_statuses:,} stale, {phones:,} online of a phone that does not count"
    idle = stats.stale_statuses + phones
    yield "statuses without effect", f"{idle:,}{parts if idle else ''}"
    yield "stranded buyers (掉线)", f"{stats.stranded_buyers:,}"
    yield "assignments", f"{summary.assignments.total():,}"
    yield "bad lines", f"{summary.bad_lines.total():,}"


def _shops(summary: Summary) -> str:
    bare = sorted(summary.shops - summary.configured)
    text = f"{len(summary.shops):,}: {len(summary.shops) - len(bare):,} with settings, {len(bare):,} without"
    return f"{text} ({_some(bare)})" if bare else text


def _phones(summary: Summary) -> Iterator[str]:
    """手机千牛不分流: the agent believes to be online, and the shop does not count phones (L2)."""
    phones = sorted(summary.phones.items())
    for (shop_id, agent_id), times in phones[:_NAMED]:
        often = "" if times == 1 else f" {times:,} times"
        yield (
            f"fenliu: {agent_id} of {shop_id} came online{often} on a phone only, and gets nothing there while "
            "mobile_diversion is off (手机分流)"
        )
    if len(phones) > _NAMED:
        yield f"fenliu: so did {len(phones) - _NAMED} more agents"
    if phones:
        yield "  to mend it: mobile_diversion: true in the settings of the shop"


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(names[:_NAMED])
    return text if len(names) <= _NAMED else f"{text} and {len(names) - _NAMED:,} more"
