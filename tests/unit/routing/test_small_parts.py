"""Small parts that traffic seldom or never shows: digests side by side, counters, gauges of one shop."""

from typing import Literal

import pytest

from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfig, ShopConfigChange
from streams.routing import Router
from streams.routing.draws import detection_lag_ms, digest
from streams.routing.messages import contains_digest


def test_a_digest_is_found_only_where_one_begins() -> None:
    first, second = bytes(range(8)), bytes(range(8, 16))
    assert contains_digest(first + second, second)
    assert not contains_digest(first + second, (first + second)[4:12])
    assert contains_digest((first + second)[4:12] + bytes(4) + (first + second)[4:12] + bytes(4), bytes(range(4, 12)))
    assert not contains_digest(b"", first)
    assert len(digest("m1")) == 8


def test_the_lag_lies_between_its_bounds_and_differs_from_case_to_case() -> None:
    lags = {detection_lag_ms("s", "an", t0_ms, 120_000, 300_000) for t0_ms in range(500)}
    assert len(lags) == 500
    assert min(lags) >= 120_000
    assert max(lags) < 300_000
    assert max(lags) - min(lags) > 170_000
    assert detection_lag_ms("s", "an", 7, 60_000, 60_000) == 60_000


@pytest.fixture
def router() -> Router:
    """A shop with `an` online and two buyers waiting for her, one for a minute already."""
    router = Router()
    router.apply(AgentStatus(event_id="1", shop_id="s", agent_id="an", occurred_at_ms=0, status="online"))
    router.apply(BuyerMessage(event_id="2", shop_id="s", buyer_id="li", occurred_at_ms=1000))
    router.apply(BuyerMessage(event_id="3", shop_id="s", buyer_id="wang", occurred_at_ms=60_000))
    return router


def test_what_was_counted_is_handed_out_once(router: Router) -> None:
    router.apply(BuyerMessage(event_id="2", shop_id="s", buyer_id="li", occurred_at_ms=1000))
    router.apply(AgentReply(event_id="4", shop_id="s", agent_id="an", buyer_id="li", occurred_at_ms=61_000))
    router.apply(
        AgentReply(event_id="5", shop_id="s", agent_id="an", buyer_id="li", occurred_at_ms=61_000, kind="auto")
    )
    stats = router.take_stats()
    assert (stats.late_events, stats.duplicate_messages, stats.auto_replies) == (1, 1, 1)
    assert stats.reply_times_ms == [60_000]  # X3
    again = router.take_stats()
    assert (again.late_events, again.reply_times_ms) == (0, [])


def test_pending_of_one_shop_by_account(router: Router) -> None:
    assert router.shop_pending("s") == {"an": 2}
    assert router.shop_pending("elsewhere") == {}


def test_settings_from_the_start_are_in_force_before_the_first_event() -> None:
    router = Router()
    config = ShopConfig(robot_first=True, robot_when_unattended=True)
    router.configure(ShopConfigChange(shop_id="s", occurred_at_ms=5, settings=config, version="v", given=b"{}"))
    (assignment,) = router.apply(BuyerMessage(event_id="1", shop_id="s", buyer_id="li", occurred_at_ms=1))
    assert isinstance(assignment, Assignment)
    assert assignment.rule == "robot_when_unattended"
    assert router.next_deadline_ms() is not None
    assert Router().next_deadline_ms() is None


def test_the_newest_value_of_a_key_counts_and_a_tombstone_removes_it(router: Router) -> None:
    changes = {(change.table, change.key): change for change in router.take_changes()}
    restored = Router()
    for change in changes.values():
        restored.load(change.table, b"s\x1fghost" if change.table == "last_contacts" else change.key, change.value)
    restored.load("last_contacts", b"s\x1fghost", None)
    for change in changes.values():
        restored.load(*change)
    restored.load("pending_replies", b"s\x1fgone", b'{"pending":0}')
    restored.load("pending_replies", b"s\x1fgone", None)
    restored.load("shops", b"never", None)
    restored.finish_load()
    assert restored.key_counts() == router.key_counts()
    assert restored.shop_pending("s") == {"an": 2}


def test_online_of_a_phone_that_does_not_count_is_told_with_whose_it_is() -> None:
    router = Router()

    def status(number: int, agent_id: str, device: Literal["pc", "mobile"]) -> None:
        router.apply(
            AgentStatus(
                event_id=str(number), shop_id="s", agent_id=agent_id, occurred_at_ms=number, status="online",
                device=device,
            )
        )  # fmt: skip

    status(1, "an", "mobile")
    status(2, "bo", "pc")
    status(3, "bo", "mobile")  # the PC is there, so nothing is amiss
    status(4, "an", "mobile")
    settings = ShopConfig(mobile_diversion=True)
    router.apply(ShopConfigChange(shop_id="s", occurred_at_ms=5, settings=settings, version="v", given=b"{}"))
    status(6, "an", "mobile")
    assert router.take_stats().uncounted_onlines == [("s", "an"), ("s", "an")]
    assert router.take_stats().uncounted_onlines == []
