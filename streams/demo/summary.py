"""The table at the demo's end."""

from typing import Protocol

from rich.console import Group
from rich.table import Table
from rich.text import Text

from streams.demo.tally import Tally, quantile, ranked
from streams.demo.words import REASONS


class Sent(Protocol):
    """What the summary asks of the traffic."""

    events: int
    bad_records: int
    backlog_events: int


def summary(tally: Tally, sent: Sent, *, live_s: float, metrics_url: str, series: int | None) -> Group:
    """What went in, what came out, how fast, and where it could be measured."""
    parts: list[Table | str] = [
        _headline(tally, sent, live_s, metrics_url, series),
        "",
        _counts("Assignments by rule 分流规则", [(rule, _term(rule), n) for rule, n in ranked(tally.rules)]),
    ]
    if tally.codes:
        parts += ["", _counts("Dead letters by code 死信", [(code, "", n) for code, n in ranked(tally.codes)])]
    return Group(*parts)


def _headline(tally: Tally, sent: Sent, live_s: float, metrics_url: str, series: int | None) -> Table:
    table = Table(
        title="Summary",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2),
        show_header=False,
    )
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("events", f"{sent.events:,}, {sent.bad_records:,} of them bad on purpose")
    later = tally.assignments - tally.first_assignments
    table.add_row(
        "assignments",
        f"{tally.assignments:,}, {later:,} of them later ones of a message (pool drained, rescue, no reply)",
    )
    table.add_row("dead letters", f"{tally.dead_letters:,}")
    table.add_row("stranded", f"{tally.stranded_buyers:,} buyers waited for an agent whose connection was lost (掉线)")
    table.add_row("rate", _rate(tally, sent))
    table.add_row("latency", _latency(tally, live_s))
    table.add_row("metrics", metrics_url + ("" if series is None else f" ({series:,} series)"))
    return table


def _rate(tally: Tally, sent: Sent) -> str:
    if tally.first_at_s is None or tally.caught_up_at_s is None:
        return "the backlog was not routed to its end"
    took_s = max(0.001, tally.caught_up_at_s - tally.first_at_s)
    return (
        f"{sent.backlog_events / took_s:,.0f} events a second: the backlog of {sent.backlog_events:,} in {took_s:.1f} s"
    )


def _latency(tally: Tally, live_s: float) -> str:
    p50, p99 = quantile(tally.latencies_s, 0.5), quantile(tally.latencies_s, 0.99)
    if p50 is None or p99 is None:
        return "no live message was assigned"
    return (
        f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms from sending a message to reading its committed assignment "
        f"({len(tally.latencies_s):,} messages in {live_s:.0f} s)"
    )


def _term(rule: str) -> str:
    known = REASONS.get(rule)
    return known.term if known else ""


def _counts(title: str, rows: list[tuple[str, str, int]]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2),
        show_header=False,
    )
    total = sum(count for *_, count in rows) or 1
    table.add_column(no_wrap=True, min_width=24)
    if any(term for _, term, _ in rows):
        table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_column(justify="right", style="dim")
    table.add_column(no_wrap=True)
    for name, term, count in rows:
        cells = [name, term] if len(table.columns) == 5 else [name]
        bar = Text("━" * max(1, round(30 * count / total)), style="cyan")
        table.add_row(*cells, f"{count:,}", f"{100 * count / total:.1f} %", bar)
    return table
