"""Where a rung must not look, in cases that traffic hardly ever shows."""

from schemas.decisions import Assignment, Target
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from schemas.shop import LeaveMessage, ShopConfig, ShopConfigChange
from streams.routing import Router
from tests.reference.model import ReferenceRouter
from tests.reference.traffic import Item, play


def config(settings: ShopConfig) -> ShopConfigChange:
    return ShopConfigChange(shop_id="s", occurred_at_ms=0, settings=settings, version="v", given=b"{}")


def test_q1_a_main_account_that_is_named_but_not_chosen_gets_nothing() -> None:
    router = Router()
    router.apply(config(ShopConfig(leave_message=LeaveMessage(to="message_pool", main_account_id="boss"))))
    (assignment,) = router.apply(BuyerMessage(event_id="m", shop_id="s", buyer_id="li", occurred_at_ms=1))
    assert isinstance(assignment, Assignment)
    assert assignment.target == Target("message_pool", "message_pool")


def test_x2_who_is_left_out_does_not_count_as_available() -> None:
    """The main account is an agent too (F6), and the only one available: the buyer stays, and does not go to `an`."""
    settings = ShopConfig(no_reply_reassign_s=30, leave_message=LeaveMessage(to="main_account", main_account_id="boss"))
    items: list[Item] = [
        config(settings),
        AgentReply(event_id="r", shop_id="s", agent_id="an", buyer_id="li", occurred_at_ms=1),  # the last contact
        BuyerMessage(event_id="m", shop_id="s", buyer_id="li", occurred_at_ms=2),  # waits for boss
        AgentStatus(event_id="1", shop_id="s", agent_id="an", occurred_at_ms=3, status="online"),
        AgentStatus(event_id="2", shop_id="s", agent_id="an", occurred_at_ms=4, status="suspended"),
        AgentStatus(event_id="3", shop_id="s", agent_id="boss", occurred_at_ms=5, status="online"),
        60_000,
    ]
    router = Router()
    decided = play(router, items)
    assert decided == play(ReferenceRouter(), items)
    assert decided[-1] == []
    assert router.shop_pending("s") == {"an": 0, "boss": 1}
