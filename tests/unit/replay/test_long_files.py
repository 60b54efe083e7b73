"""A file of a year: what the router notes for others is taken from it as it goes, and the figures stay right."""

from collections.abc import Generator, Iterator
from inspect import getgeneratorlocals
from pathlib import Path
from typing import Any, cast

import pytest

from streams.replay.runner import Replay
from streams.routing import Decision, Router
from streams.simulate.closed_loop import RouterResponder
from tests.unit.replay.files import Event, config, lines, message, reply, status

TAKE_AFTER = 50


def events(days: int) -> list[Event]:
    """Each day a new buyer, a duplicate, a phone that does not count."""
    made = [config(0, agents=[{"agent_id": "an"}])]
    for day in range(days):
        at_ms = 1000 + day * 24 * 3_600_000
        made += [status("online", at_ms), message(f"m{day}", at_ms, buyer=f"b{day}")]
        made += [message(f"m{day}", at_ms + 1, buyer=f"b{day}"), reply(at_ms + 2, buyer=f"b{day}")]
        made += [{**status("online", at_ms + 3, agent="bo"), "device": "mobile"}, status("offline", at_ms + 4)]
    return made


@pytest.fixture
def year(tmp_path: Path) -> tuple[str, ...]:
    file = tmp_path / "year.jsonl"
    file.write_bytes(lines(events(365)))
    return (str(file),)


def router_of(decisions: Iterator[Decision]) -> Router:
    router = getgeneratorlocals(cast("Generator[Decision, None, None]", decisions))["router"]
    assert isinstance(router, Router)
    return router


def noted(router: Router) -> int:
    """How many marks of changes and single figures it holds."""
    shops: list[Any] = list(router._shops.values())
    marks = sum(len(each.changed_agents) + len(each.changed_devices) + len(each.changed_buyers) for each in shops)
    return marks + sum(len(figure) for _, figure in router._stats.items() if isinstance(figure, list))


def test_neither_changes_nor_figures_pile_up(year: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.replay.runner._TAKE_AFTER_EVENTS", TAKE_AFTER)
    replay = Replay([])
    decisions = replay.decide(replay.read(year))
    peak = max(noted(router_of(decisions)) for _ in decisions)
    assert 10 < peak < 6 * TAKE_AFTER


def test_the_summary_has_all_that_was_counted(year: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    whole, in_parts = Replay([]), Replay([])
    expected = list(whole.decide(whole.read(year)))
    monkeypatch.setattr("streams.replay.runner._TAKE_AFTER_EVENTS", TAKE_AFTER)
    assert list(in_parts.decide(in_parts.read(year))) == expected
    assert in_parts.summary == whole.summary
    assert in_parts.summary.stats.duplicate_messages == 365
    assert in_parts.summary.phones == {("s", "bo"): 365}


def test_the_closed_loop_of_a_simulation_piles_up_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.simulate.closed_loop._DROP_AFTER_EVENTS", TAKE_AFTER)
    responder, peak = RouterResponder(), 0
    for line in lines(events(365)).splitlines():
        responder.config(line)  # all kinds of events go the same way
        peak = max(peak, noted(responder._router))
    assert 10 < peak < 6 * TAKE_AFTER
