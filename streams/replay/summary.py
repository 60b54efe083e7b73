"""What a replay saw and did, in figures: of the lines, of the router, of its decisions."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.codec import TYPE_OF_TOPIC
from streams.replay.lines import Line
from streams.routing import Stats


class Override(NamedTuple):
    """The first settings of a shop in the events that differ from those it was given for the replay."""

    line: Line
    at_ms: int


@dataclass
class Summary:
    """One replay. Times are event times in milliseconds since 1970 UTC.

    Attributes:
        events: those that were decided, by type.
        first_ms: the time of the earliest of them; None without events.
        last_ms: the time of the latest.
        after_until: events that were left out because they come after the end that was asked for.
        settings_left_out: events that were left out because the shop's settings of the replay hold.
        bad_lines: lines that could not be used, by code.
        shops: those that have events.
        configured: those that have settings, in the events or given for the replay.
        given: those that have settings given for the replay.
        overrides: by shop, where the events have settings of one of these.
        stats: what the router counted; its lists stay empty.
        phones: by shop and agent, how often it came online on a phone that did not count (L2).
        assignments: by rule.
    """

    events: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TYPE_OF_TOPIC.values(), 0))
    first_ms: int | None = None
    last_ms: int | None = None
    after_until: int = 0
    settings_left_out: int = 0
    bad_lines: Counter[str] = field(default_factory=Counter)
    shops: set[str] = field(default_factory=set)
    configured: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    overrides: dict[str, Override] = field(default_factory=dict)
    stats: Stats = field(default_factory=Stats)
    phones: Counter[tuple[str, str]] = field(default_factory=Counter)
    assignments: Counter[str] = field(default_factory=Counter)

    def add(self, stats: Stats) -> None:
        """Add what the router counted since last asked."""
        self.phones.update(stats.uncounted_onlines)
        for name, figure in stats.items():
            if isinstance(figure, int):
                setattr(self.stats, name, getattr(self.stats, name) + figure)

    def as_json(self) -> dict[str, object]:
        """As `--json-summary` writes it."""
        stats = self.stats
        return {
            "events": {"total": sum(self.events.values()), **self.events},
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
            "left_out": {"after_until": self.after_until, "settings": self.settings_left_out},
            "bad_lines": {"total": self.bad_lines.total(), "by_code": _sorted(self.bad_lines)},
            "shops": {
                "total": len(self.shops),
                "with_settings": sorted(self.shops & self.configured),
                "without_settings": sorted(self.shops - self.configured),
                "settings_without_events": sorted(self.given - self.shops),
            },
            "duplicate_messages": stats.duplicate_messages,
            "late_events": stats.late_events,
            "statuses_without_effect": {
                "stale": stats.stale_statuses,
                "uncounted_phone": self.phones.total(),
            },
            "uncounted_phones": [
                {"shop_id": shop_id, "agent_id": agent_id, "times": times}
                for (shop_id, agent_id), times in sorted(self.phones.items())
            ],
            "stranded_buyers": stats.stranded_buyers,
            "assignments": {"total": self.assignments.total(), "by_rule": _sorted(self.assignments)},
        }


def ranked(counted: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first, and of equals in order of name."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def _sorted(counted: Counter[str]) -> dict[str, int]:
    return dict(ranked(counted))
