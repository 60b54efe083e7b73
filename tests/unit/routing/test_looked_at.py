"""How much is looked at for one event does not grow with the crowd beside it: counted in lines run, not in seconds."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from schemas.events import AgentReply, AgentStatus, BuyerMessage
from streams.routing import COMPILED, Router
from tests.reference.shops import Document, config_change
from tests.reference.traffic import Event, play

pytestmark = pytest.mark.skipif(COMPILED, reason="compiled code runs no lines; it is the same code")

Crowd = Callable[[int], list[Event]]
"""What makes the buyer of a number wait in the pool."""

HOUR_MS = 3_600_000
FEW, MANY = 10, 2_000
CORE = str(Path(sys.modules[Router.__module__].__file__ or "").parent)


def lines_run(do: Callable[[], object]) -> int:
    """How many lines of the core were run, each turn of a loop counted."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal count
        if not frame.f_code.co_filename.startswith(CORE):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]  # it returns itself
    try:
        do()
    finally:
        sys.settrace(before)
    return count


def status(agent_id: str, name: str, at_ms: int, shop_id: str = "s") -> AgentStatus:
    return AgentStatus(
        event_id="s", shop_id=shop_id, agent_id=agent_id, occurred_at_ms=at_ms,
        status="online" if name == "online" else "offline" if name == "offline" else "suspended",
    )  # fmt: skip


def message(buyer_id: str, at_ms: int, shop_id: str = "s", addressed: str | None = None) -> BuyerMessage:
    return BuyerMessage(
        event_id=f"m{at_ms}", shop_id=shop_id, buyer_id=buyer_id, occurred_at_ms=at_ms, addressed_agent_id=addressed
    )


def reply(agent_id: str, buyer_id: str, at_ms: int, shop_id: str = "s") -> AgentReply:
    return AgentReply(event_id="r", shop_id=shop_id, agent_id=agent_id, buyer_id=buyer_id, occurred_at_ms=at_ms)


def beside_shops(shops: int) -> int:
    """An event of one shop, and a look at everybody's timers."""
    router = Router()
    for number in range(shops):
        play(router, [status("an", "online", 1, f"s{number}"), message("li", 2, f"s{number}")])
    router.next_deadline_ms()  # mends what the events before have moved, once for each of them

    def day() -> None:
        for event in (message("wang", 4, "s1"), reply("an", "wang", 5, "s1"), status("an", "offline", 6, "s1")):
            router.apply(event)
            router.next_deadline_ms()
            router.fire_timers(event.occurred_at_ms)

    return lines_run(day)


def test_f8_timers_of_other_shops_are_not_looked_at() -> None:
    assert beside_shops(MANY) <= 1.1 * beside_shops(FEW)


def beside_pool(buyers: int, statuses: tuple[str, ...], settings: Document, crowd: Crowd) -> int:
    """Messages and replies beside buyers of the pool whom nobody can take, though `an` has room."""
    router = Router()
    play(router, [config_change("s", 0, settings)])
    play(router, [status("an", name, 1) for name in statuses])
    for number in range(buyers):
        play(router, crowd(number))
    now_ms = 3 * HOUR_MS
    play(router, [message("first", now_ms, addressed="an"), reply("an", "first", now_ms)])  # a first look at them
    talk: list[Event] = [
        message("li", now_ms, addressed="an"),
        reply("an", "li", now_ms),
        message("wang", now_ms),
        reply("an", "wang", now_ms),
    ]
    lines = lines_run(lambda: play(router, talk))
    assert router.gauges().message_pool == buyers
    return lines


def comes_to(agent_id: str) -> Crowd:
    """Buyers whose last contact was this agent."""
    return lambda number: [reply(agent_id, f"b{number}", 3 + number), message(f"b{number}", 3 + number)]


def stranger(number: int) -> list[Event]:
    return [message(f"b{number}", 3 + number)]


SUSPENDED = ("online", "suspended")
CROWDS: dict[str, tuple[tuple[str, ...], Document, Crowd]] = {
    "strangers": (SUSPENDED, {}, stranger),
    "an agent of weight 0 has room": (("online",), {"agents": [{"agent_id": "an", "weight": 0}]}, stranger),
    "their contact is gone": (SUSPENDED, {}, comes_to("gone")),
    "their contact is suspended": (SUSPENDED, {"suspended_keeps_recent": False}, comes_to("an")),
    "their contact is out of the window": (SUSPENDED, {"recent_contact_window_h": 1}, comes_to("an")),
    "their dedicated agent is suspended": (
        SUSPENDED,
        {"dedicated_direct": True, "dedicated_agents": {f"b{number}": "an" for number in range(MANY)}},
        stranger,
    ),
    "dedicated agents do not count": (SUSPENDED, {"dedicated_agents": {"b1": "an"}}, stranger),
}


@pytest.mark.parametrize("why", CROWDS)
def test_t4_buyers_whom_nobody_can_take_are_not_looked_at(why: str) -> None:
    assert beside_pool(MANY, *CROWDS[why]) <= 1.1 * beside_pool(FEW, *CROWDS[why])


def gone_again(waiting: int) -> int:
    """An agent drops, and comes back too late, while buyers wait for it who came before."""
    router = Router()
    play(router, [status("an", "online", 1), *(message(f"b{number}", 2 + number) for number in range(waiting))])
    return lines_run(lambda: play(router, [status("an", "offline", HOUR_MS), status("an", "online", 2 * HOUR_MS)]))


def test_l6_buyers_who_were_not_stranded_are_not_looked_at() -> None:
    assert gone_again(MANY) <= 1.1 * gone_again(FEW)
