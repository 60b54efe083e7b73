"""The lines of the message pool (T4): their order, what they leave behind, and whom a drain finds through them."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from streams.routing import Router
from streams.routing.message_pool import Line, Place
from tests.reference.model import ReferenceRouter
from tests.reference.shops import Document, config_change
from tests.reference.traffic import Event, play
from tests.unit.routing.test_standing import check_message_pool

HOUR_MS = 3_600_000
PEOPLE = ("an", "bo", "chen", "dora")


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=400))
def test_a_line_is_in_order(steps: list[tuple[bool, int]]) -> None:
    line, there = Line(), set[Place]()
    for comes, number in steps:
        place = (-(number % 3), number, f"b{number}")
        if comes and place not in there:
            line.add(place)
            there.add(place)
        elif not comes:
            line.discard(place[-1])
            there.discard(place)
        assert line.first_after(None) == min(there, default=None)
        assert line.first_after(place) == min((each for each in there if each > place), default=None)
        assert len(line) == len(there)
    assert line.places() == sorted(there)


def a_settings(rng: Random) -> Document:
    """Most agents have no weight, and half of the buyers a dedicated agent."""
    return {
        "policy": rng.choice(["qianniu", "qianniu", "pinduoduo"]),
        "busy_threshold": rng.randint(1, 3),
        "recent_contact_window_h": rng.choice([1, 72, None]),
        "suspended_keeps_recent": rng.random() < 0.7,
        "dedicated_direct": rng.random() < 0.7,
        "dedicated_agents": {f"b{number}": rng.choice(PEOPLE) for number in range(0, 30, 2)},
        "agents": [
            {"agent_id": agent_id, "weight": rng.choice([0, 0, 100]), "max_pending": rng.choice([None, None, 2])}
            for agent_id in PEOPLE
        ],
    }


def an_event(rng: Random, number: int, now_ms: int) -> Event:
    agent_id, buyer_id = rng.choice(PEOPLE), f"b{rng.randrange(30)}"
    kind = rng.random()
    if kind < 0.03:
        return config_change("s", now_ms, a_settings(rng))
    if kind < 0.25:
        return AgentStatus(
            event_id="s", shop_id="s", agent_id=agent_id, occurred_at_ms=now_ms,
            status=rng.choice(["online", "suspended", "suspended", "suspended", "resumed", "offline"]),
        )  # fmt: skip
    if kind < 0.65:
        addressed = agent_id if rng.random() < 0.4 else None
        return BuyerMessage(
            event_id=f"m{number}", shop_id="s", buyer_id=buyer_id, occurred_at_ms=now_ms, addressed_agent_id=addressed
        )
    return AgentReply(event_id="r", shop_id="s", agent_id=agent_id, buyer_id=buyer_id, occurred_at_ms=now_ms)


@pytest.mark.parametrize("seeds", [range(first, first + 10) for first in range(0, 60, 10)], ids=str)
def test_whoever_knows_an_agent_with_room_is_found_as_the_reference_finds_it(seeds: range) -> None:
    """Mostly nobody takes part in shares, so a drain goes by last contacts and dedicated agents alone."""
    rungs: Counter[str] = Counter()
    for seed in seeds:
        rng = Random(seed)  # noqa: S311
        product, reference, now_ms = Router(), ReferenceRouter(), 0
        play(product, [first := config_change("s", 0, a_settings(rng))])
        play(reference, [first])
        for number in range(250):
            now_ms += rng.choice([0, 1, 1000, 60_000, HOUR_MS // 2])
            event = an_event(rng, number, now_ms)
            decided = product.apply(event)
            assert decided == reference.apply(event)
            check_message_pool(product._shops["s"])
            drained = [each for each in decided if isinstance(each, Assignment) and each.rule == "pool_drained"]
            rungs.update(each.trace[-1][0] for each in drained)
    assert rungs["recent_contact"] > 20
    assert rungs["dedicated_agent"] > 5
