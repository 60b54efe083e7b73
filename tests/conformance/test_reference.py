"""The reference, with which the router is compared at random, reads the rules as the scenarios do."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.conformance.notation import Scenario
from tests.conformance.running import problems, run
from tests.conformance.test_scenarios import ROUTED
from tests.reference.model import ReferenceRouter
from tests.reference.state import Shop

REASONS = ("agent_unknown", "agent_offline", "group_unknown")
COUNTED = ("misdirected_transfers", "farewells", "no_reply_suspensions", "stale_statuses")


class Reference(ReferenceRouter):
    """The reference, asked as the router is."""

    def shop_pending(self, shop_id: str) -> dict[str, int]:
        shop = self.shops.get(shop_id, Shop(shop_id))
        owners = {buyer.owner.id for buyer in shop.buyers.values() if buyer.owner is not None}
        return {owner_id: shop.pending(owner_id) for owner_id in owners}

    def gauges(self) -> SimpleNamespace:
        return SimpleNamespace(message_pool=sum(len(shop.pool()) for shop in self.shops.values()))

    def take_stats(self) -> SimpleNamespace:
        counted: Counter[str] = Counter()
        for shop in self.shops.values():
            counted += shop.counted
        misdirected = {reason: counted[reason] for reason in REASONS if counted[reason]}
        return SimpleNamespace(misdirected_transfers=misdirected, **{name: counted[name] for name in COUNTED[1:]})


@pytest.mark.parametrize("scenario", ROUTED, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    asked = replace(scenario, counts={name: scenario.counts[name] for name in COUNTED if name in scenario.counts})
    differences = problems(asked, run(asked, Reference()))
    assert not differences, "\n".join([f"{scenario.file}:{scenario.line}: {scenario.name}", *differences])
