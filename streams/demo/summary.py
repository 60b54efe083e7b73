"""The table at the demo's end."""

from typing import Protocol

from rich.console import Group
from rich.table import Table

from streams.demo.tally import Tally, quantile, ranked
from streams.demo.words import term
from streams.tables import counts, facts


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
        counts("Assignments by rule 分流规则", [(rule, term(rule), n) for rule, n in ranked(tally.rules)]),
    ]
    if tally.codes:
        parts += ["", counts("Dead letters by code 死信", [(code, "", n) for code, n in ranked(tally.codes)])]
    return Group(*parts)


def _headline(tally: Tally, sent: Sent, live_s: float, metrics_url: str, series: int | None) -> Table:
    later = tally.assignments - tally.first_assignments
    return facts(
        "Summary",
        [
            ("events", f"{sent.events:,}, {sent.bad_records:,} of them bad on purpose"),
            (
                "assignments",
                f"{tally.assignments:,}, {later:,} of them later ones of a message (pool drained, rescue, no reply)",
            ),
            ("dead letters", f"{tally.dead_letters:,}"),
            ("stranded", f"{tally.stranded_buyers:,} buyers waited for an agent whose connection was lost (掉线)"),
            ("rate", _rate(tally, sent)),
            ("latency", _latency(tally, live_s)),
            ("metrics", metrics_url + ("" if series is None else f" ({series:,} series)")),
        ],
    )


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
