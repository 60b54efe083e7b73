"""What share keeps beside its decisions: orders that stay small (S5), levels written down (S3), the favoured (T4)."""

import tracemalloc

import orjson
import pytest

from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import ShopConfig, ShopConfigChange
from streams.routing import Router
from tests.reference.model import ReferenceRouter
from tests.reference.traffic import Item, play

AGENTS = ("an", "bo", "chen")


def status(at_ms: int, agent_id: str, status_: str = "online") -> AgentStatus:
    return AgentStatus(
        event_id=f"s{at_ms}",
        shop_id="s",
        agent_id=agent_id,
        occurred_at_ms=at_ms,
        status="online" if status_ == "online" else "suspended" if status_ == "suspended" else "resumed",
    )


def message(at_ms: int, buyer_id: str, addressed: str | None = None) -> BuyerMessage:
    return BuyerMessage(
        event_id=f"m{at_ms}", shop_id="s", buyer_id=buyer_id, occurred_at_ms=at_ms, addressed_agent_id=addressed
    )


def reply(at_ms: int, agent_id: str, buyer_id: str) -> AgentReply:
    return AgentReply(event_id=f"r{at_ms}", shop_id="s", agent_id=agent_id, buyer_id=buyer_id, occurred_at_ms=at_ms)


def config(settings: ShopConfig) -> ShopConfigChange:
    return ShopConfigChange(shop_id="s", occurred_at_ms=0, settings=settings, version="v", given=b"{}")


@pytest.fixture
def router() -> Router:
    """A shop whose three agents have shared three messages."""
    router = Router()
    play(router, [status(0, agent_id) for agent_id in AGENTS])
    play(router, [message(number, f"b{number}") for number in range(3)])
    return router


def test_s5_agents_who_come_and_go_leave_nothing_behind_in_the_order(router: Router) -> None:
    """A thousand turns take no memory: one entry left behind in an order would be a hundred bytes a turn."""
    play(router, [status(3, "dora")])

    def turn(at_ms: int) -> None:
        for agent_id in ("an", "dora"):  # one who was there when the order was made, and one who came later
            play(router, [status(at_ms, agent_id, "suspended"), status(at_ms + 1, agent_id, "resumed")])

    tracemalloc.start()
    try:
        for number in range(4, 100):
            turn(number)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100, 1100):
            turn(number)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000


def test_s5_a_pool_is_made_once(router: Router) -> None:
    shop = router._shops["s"]
    made = shop.pools["all"]
    play(router, [message(3, "b3"), message(4, "b4")])
    assert shop.pools["all"] is made
    assert [agent.pools for agent in shop.agents.values()] == [[made]] * len(AGENTS)


def test_s3_who_is_level_with_a_clock_of_0_has_no_virtual_time_to_write_down(router: Router) -> None:
    """The first pick was at 0 and so is the clock: who comes now needs no entry in its record."""
    router.take_changes()
    play(router, [status(5, "late")])
    (record,) = (change for change in router.take_changes() if change.key == b"s\x1flate")
    assert "virtual_times" not in orjson.loads(record.value or b"")


def test_s3_whoever_is_levelled_is_written_down() -> None:
    """`an` comes back behind the clock; the new level is state, so a worker that takes over must find it."""
    router = Router()
    play(router, [status(0, "an"), status(0, "bo"), message(1, "b1"), message(2, "b2")])
    play(router, [status(3, "an", "suspended"), *(message(number, f"b{number}") for number in range(4, 9))])
    router.take_changes()
    play(router, [status(9, "an", "resumed")])
    (record,) = (change for change in router.take_changes() if change.key == b"s\x1fan")
    clock = router._shops["s"].pool_clocks["all"]
    assert orjson.loads(record.value or b"")["virtual_times"] == {"all": clock}


def test_t4_the_favoured_goes_before_one_with_room_who_had_a_share_already() -> None:
    """`an` never shared and has no virtual time in the pool yet: it counts as 0."""
    items: list[Item] = [
        config(ShopConfig(busy_threshold=1)),
        message(1, "p1"),
        message(2, "p2"),
        *(message(at_ms, buyer_id) for at_ms, buyer_id in ((3, "x1"), (4, "x2"))),
        *(
            AgentReply(
                event_id=f"t{buyer_id}",
                shop_id="s",
                agent_id="boss",
                buyer_id=buyer_id,
                occurred_at_ms=5,
                kind="transfer",
                to_agent_id="an",
            )
            for buyer_id in ("x1", "x2")
        ),
        status(6, "bo"),  # gets p1, and has no room for p2
        status(7, "an"),  # has no room
        message(8, "p1", addressed="an"),  # leaves bo, who has room from now on
        reply(9, "an", "x1"),  # still without room, but favoured
    ]
    router = Router()
    decided = play(router, items)
    (drained,) = [decision for decision in decided[-1] if isinstance(decision, Assignment)]
    assert (drained.buyer_id, drained.target.id, drained.candidate_count) == ("p2", "an", 2)
    assert decided == play(ReferenceRouter(), items)
