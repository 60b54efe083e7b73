"""What an event costs beside 20,000 shops of its partition, and beside 20,000 buyers of its pool, against 20 of each.

Large and small take turns (A B A B), and a ratio is of two neighbours, so that noise cancels.
"""

import time
from collections.abc import Callable
from itertools import count

from schemas.codec import Event
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from streams.routing import Router
from tests.bench.harness import BenchResult, Effort, Figure, Goal, frozen_heap
from tests.bench.workload import START_MS, agent_id, buyer_id

SMALL, LARGE = 20, 20_000
EVENTS = 8_000
GOAL = Goal(2.0, at_least=False)
STRIDE = 7_368_787
"""A prime: steps of this go through all shops before one comes again, each far from the one before."""


def run(effort: Effort) -> BenchResult:
    """Measure both crowds, in both sizes."""
    events = effort.scaled(EVENTS)
    figures = []
    for what, crowd in (("shops in the partition, timers looked at", beside_shops), ("buyers in the pool", in_pool)):
        small, large = crowd(SMALL, events), crowd(effort.scaled(LARGE), events)
        costs: dict[str, list[float]] = {"small": [], "large": []}
        with frozen_heap():
            for _ in range(1 + effort.repeats):
                costs["small"].append(small() * 1e6)
                costs["large"].append(large() * 1e6)
        ratios = [b / a for a, b in zip(costs["small"], costs["large"], strict=True)]
        figures += [
            Figure(f"{SMALL:,} {what}", "µs of CPU an event", costs["small"][1:]),
            Figure(f"{effort.scaled(LARGE):,} {what}", "µs of CPU an event", costs["large"][1:]),
            Figure(f"{effort.scaled(LARGE):,} against {SMALL} {what}", "times", ratios[1:], GOAL),
        ]
    return BenchResult("crowds", "An event beside many shops and many waiting buyers", figures)


def beside_shops(shops: int, events: int) -> Callable[[], float]:
    """CPU seconds of an event, with a look at the timers of all shops after each, as a worker takes it."""
    router, numbers = Router(), count()
    for shop in range(shops):
        for event in (_status(shop, "online", 0), *_talk(shop, shop)):
            router.apply(event)

    def measure() -> float:
        first = next(numbers) * events
        talks = [_talk(place * STRIDE % shops, shops + place) for place in range(first, first + events // 2)]
        began = time.process_time()
        for talk in talks:
            for event in talk:
                router.apply(event)
                router.next_deadline_ms()
                router.fire_timers(event.occurred_at_ms - 1000)
        return (time.process_time() - began) / events

    return measure


def in_pool(buyers: int, events: int) -> Callable[[], float]:
    """CPU seconds of an event in a shop whose only agent with room is suspended, so that the pool stays as it is."""
    router, numbers = Router(), count()
    for status in ("online", "suspended"):
        router.apply(_status(0, status, 0))
    for number in range(buyers):  # each knows an agent who is not there
        router.apply(_reply(0, number, 1 + number % 50))
        router.apply(_message(0, number))

    def measure() -> float:
        first = buyers + next(numbers) * events
        talks: list[Event] = []
        for number in range(first, first + events // 4):
            to_agent, to_pool = 2 * number, 2 * number + 1
            talks += [_message(0, to_agent, agent_id(0)), _reply(0, to_agent, 0)]
            talks += [_message(0, to_pool), _reply(0, to_pool, 0)]
        began = time.process_time()
        for event in talks:
            router.apply(event)
        seconds = time.process_time() - began
        assert router.gauges().message_pool == buyers
        return seconds / len(talks)

    return measure


def _talk(shop: int, number: int) -> tuple[Event, Event]:
    return _message(shop, number), _reply(shop, number, 0)


def _message(shop: int, number: int, addressed: str | None = None) -> BuyerMessage:
    return BuyerMessage(
        event_id=f"m-{number:09d}", shop_id=_shop_id(shop), buyer_id=buyer_id(number),
        occurred_at_ms=START_MS + number, addressed_agent_id=addressed,
    )  # fmt: skip


def _reply(shop: int, number: int, agent: int) -> AgentReply:
    return AgentReply(
        event_id=f"r-{number:09d}", shop_id=_shop_id(shop), buyer_id=buyer_id(number),
        occurred_at_ms=START_MS + number, agent_id=agent_id(agent),
    )  # fmt: skip


def _status(shop: int, status: str, agent: int) -> AgentStatus:
    return AgentStatus(
        event_id=f"s-{shop}-{status}", shop_id=_shop_id(shop), agent_id=agent_id(agent), occurred_at_ms=START_MS,
        status="online" if status == "online" else "suspended",
    )  # fmt: skip


def _shop_id(number: int) -> str:
    return f"taobao:{2208000000 + number}"
