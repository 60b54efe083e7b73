"""What holds whatever happens: nobody is lost, and nothing goes on without end (section 13)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from schemas.decisions import AgentPresence, Assignment
from schemas.events import BuyerMessage
from tests.reference.model import ReferenceRouter
from tests.reference.traffic import Item, event_sequences, random_events

if TYPE_CHECKING:
    from tests.reference.state import Shop

RULES = {
    "Y1", "Y2", "Y2 sole", "Y3", "Y4", "Y5", "Y6", "Y7", "Y8", "Y8 transfer", "Y8 dedicated", "Y9", "Y10 stay",
    "Y10 leave", "Y10 left out", "Y11", "Y11 keeps", "Y11 lifted", "Y12", "Y13", "Y14", "Y15", "Y16", "T4 own message",
}  # fmt: skip


def step(router: ReferenceRouter, item: Item) -> list[Assignment | AgentPresence]:
    return router.fire_timers(item) if isinstance(item, int) else router.apply(item)


def test_every_rule_of_section_13_makes_a_difference() -> None:
    applied: Counter[str] = Counter()
    for seed in range(150):
        router = ReferenceRouter()
        for item in random_events(seed, 200, ticks=True, section_13=True):
            step(router, item)
        for shop in router.shops.values():
            applied += shop.applied
    assert {rule for rule in RULES if applied[rule] < 5} == set()


@pytest.mark.parametrize("seed", range(40))
def test_nobody_is_lost_and_nothing_goes_on_without_end(seed: int) -> None:
    holds(random_events(1000 + seed, 150, ticks=True, section_13=True))


@given(event_sequences(ticks=True, section_13=True))
@settings(max_examples=60, deadline=None)
def test_no_sequence_loses_anybody_or_goes_on_without_end(items: list[Item]) -> None:
    holds(items)


def holds(items: list[Item]) -> None:
    router = ReferenceRouter()
    for item in items:
        decisions = step(router, item)
        assigned = Counter(decision.message_id for decision in decisions if isinstance(decision, Assignment))
        for shop in router.shops.values():
            # Every buyer who waits for an answer has an owner, be it a robot or the pool, and a message.
            for buyer in shop.buyers.values():
                assert (buyer.owner is not None) == (buyer.waiting_messages > 0)
                assert buyer.owner is None or buyer.message is not None
            # A timer that fired stands later now, or not at all.
            assert all(deadline_ms > shop.clock_ms for deadline_ms, *_ in shop.timers())
        if isinstance(item, BuyerMessage):
            shop = router.shops[item.shop_id]
            assert assigned[item.event_id] >= 1 or item.event_id in shop.buyers[item.buyer_id].last_event_ids
        # Without another event each agent is found out once, and X2 moves a buyer no_reply_limit times. Each of these
        # may put it into the pool, from where it is drained once.
        most = 3 + 2 * max((moves(shop) for shop in router.shops.values()), default=0)
        assert all(count <= most for count in assigned.values())


def moves(shop: Shop) -> int:
    return len(shop.agents) + shop.config.no_reply_limit
