"""Whose timers are due is found without asking every shop, and is what asking every shop gives."""

from random import Random

import pytest

from schemas.events import AgentStatus, BuyerMessage
from streams.routing import Router
from streams.routing.clockwork import next_deadline_ms
from tests.reference.shops import config_change
from tests.reference.traffic import Event, play, random_events

DAY_MS = 24 * 3_600_000


def status(shop_id: str, name: str, at_ms: int) -> AgentStatus:
    return AgentStatus(
        event_id="s", shop_id=shop_id, agent_id="an", occurred_at_ms=at_ms,
        status="online" if name == "online" else "offline",
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_the_next_deadline_is_the_first_of_all_shops(seed: int) -> None:
    """Traffic that `tick`s lets the wall clock fire; between looks, timers come, go and are moved."""
    rng, router = Random(seed), Router()  # noqa: S311
    for item in random_events(seed, 150, ticks=True):
        play(router, [item])
        if rng.random() < 0.5:
            deadlines = [next_deadline_ms(shop) for shop in router._shops.values()]
            assert router.next_deadline_ms() == (min(deadlines) if min(deadlines, default=1 << 62) < 1 << 62 else None)


def test_f8_shops_fire_in_order_of_id_whatever_their_deadlines_are() -> None:
    router, shops = Router(), [f"s{number:02d}" for number in range(30)]
    for place, shop_id in enumerate(Random(1).sample(shops, len(shops))):  # noqa: S311
        router.apply(status(shop_id, "online", 1))
        router.apply(status(shop_id, "offline", 2 + place))
    decided = router.fire_timers(DAY_MS)
    assert [(each.shop_id, each.type) for each in decided] == [(shop_id, "agent_presence") for shop_id in shops]


def test_shops_that_come_and_go_all_day_leave_nothing_behind() -> None:
    """Each time an agent leaves, a timer comes before all that the shop had."""
    router, shops = Router(), [f"s{number}" for number in range(5)]
    for number in range(200):
        events: list[Event] = []
        for shop_id in shops:
            at_ms = number * 600_000
            events += [status(shop_id, "online", at_ms), status(shop_id, "offline", at_ms + 1)]
            events.append(
                BuyerMessage(event_id=f"m{number}", shop_id=shop_id, buyer_id=f"b{number}", occurred_at_ms=at_ms + 2)
            )
        play(router, events)
        router.next_deadline_ms()
        assert len(router.fire_timers(number * 600_000 + 300_002)) == len(shops)
    assert len(router._wakes._heap) <= 3 * len(shops) + 64


def test_settings_from_the_start_and_restored_shops_have_their_timers() -> None:
    router = Router()
    router.configure(config_change("s", 1, {"detection_lag_s": {"min": 60, "max": 60}}))
    assert router.next_deadline_ms() is None
    play(router, [status("s", "online", 1000), status("s", "offline", 2000)])
    restored = Router()
    for change in router.take_changes():
        restored.load(*change)
    restored.finish_load()
    assert restored.next_deadline_ms() == router.next_deadline_ms() == 62_000
    assert restored.fire_timers(62_000) == router.fire_timers(62_000) != []
