"""What a decision costs by the rung that takes it: every rung of both ladders, each message to a shop of ten agents.

Each case is a shop whose settings and agents send all messages to that rung; one that went elsewhere ends the bench.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from schemas.decisions import Assignment
from schemas.events import AgentReply, AgentStatus, BuyerMessage
from streams.routing import Router
from tests.bench.harness import BenchResult, Effort, Figure, Stopwatch, frozen_heap
from tests.bench.workload import SHOP_ID, START_MS, Policy, agent_id, buyer_id, config_change

AGENTS = 10
MESSAGES = 10_000
EVERYBODY = tuple(range(AGENTS))
IDS = [agent_id(number) for number in EVERYBODY]
BOUND: dict[str, Any] = {"groups": [{"group_id": "售前", "order_states": ["paid"], "agent_ids": IDS[:5]}]}
ROBOT_IN_GROUP = {"groups": [{**BOUND["groups"][0], "robot": True}]}
PAGE: dict[str, Any] = {"pages": [{"page": "item", "agent_ids": IDS[:5]}]}
WEIGHTLESS = [{"agent_id": each, "weight": 0} for each in IDS]


@dataclass(frozen=True, slots=True)
class Case:
    """A rung, and what sends messages to it."""

    rule: str
    policy: Policy = "qianniu"
    settings: dict[str, Any] = field(default_factory=dict)
    online: Sequence[int] = EVERYBODY
    """Numbers of the agents who are; the others were."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Of each message."""
    already: int = 0
    """So many other buyers wait before."""
    returning: bool = False
    """An agent wrote to all buyers before."""

    def __str__(self) -> str:
        return f"{self.policy}: {self.rule}"


CASES = (
    Case("addressed_agent", fields={"addressed_agent_id": IDS[0]}),
    Case(
        "addressed_agent_offline",
        settings={"offline_diversion": False},
        online=EVERYBODY[1:],
        fields={"addressed_agent_id": IDS[0]},
    ),
    Case("robot_when_unattended", settings={"robot_first": True, "robot_when_unattended": True}, online=()),
    Case("leave_message", online=()),
    Case("recent_contact", returning=True),
    Case(
        "dedicated_agent",
        settings={
            "dedicated_direct": True,
            "dedicated_agents": {buyer_id(number): IDS[number % AGENTS] for number in range(MESSAGES)},
        },
    ),
    Case("robot_first", settings={"robot_first": True}),
    Case("group_robot", settings=ROBOT_IN_GROUP),
    Case("group_share", settings=BOUND),
    Case("group_fallback", settings=BOUND, online=EVERYBODY[5:]),
    Case("queue", settings={"default_max_pending": 1}, already=AGENTS),
    Case("recent_contact", policy="pinduoduo", returning=True),
    Case("page_share", policy="pinduoduo", settings=PAGE),
    Case("random_online", policy="pinduoduo", settings=PAGE, online=EVERYBODY[5:]),
    Case("offline_receiver", policy="pinduoduo", settings={"offline_receivers": IDS[:2]}, online=()),
    Case("queue", policy="pinduoduo", settings={"default_max_pending": 1}, already=AGENTS),
    Case("leave_message", policy="pinduoduo", settings={"agents": WEIGHTLESS}),
)


def run(effort: Effort) -> BenchResult:
    """All rungs take turns."""
    messages = [[_message(case, number) for number in range(effort.scaled(MESSAGES))] for case in CASES]
    costs: list[list[float]] = [[] for _ in CASES]
    with frozen_heap():
        for _ in range(1 + effort.repeats):
            for case, of_case, values in zip(CASES, messages, costs, strict=True):
                values.append(_measure(case, of_case))
    figures = [Figure(str(case), "µs of CPU a decision", values[1:]) for case, values in zip(CASES, costs, strict=True)]
    return BenchResult("rungs", f"A decision by the rung that takes it, {AGENTS} agents", figures)


def _measure(case: Case, messages: Sequence[BuyerMessage]) -> float:
    router, watch = _opened(case, messages), Stopwatch()
    with watch.timed():
        decided = [router.apply(message) for message in messages]
    for (decision,) in decided:
        assert isinstance(decision, Assignment)
        assert decision.rule == case.rule, f"{case}: went to {decision.rule}"
    return watch.cpu_s / len(messages) * 1e6


def _opened(case: Case, messages: Sequence[BuyerMessage]) -> Router:
    router = Router()
    no_lag = {"detection_lag_s": {"min": 0, "max": 0}}
    router.apply(config_change(SHOP_ID, {"policy": case.policy, **no_lag, **case.settings}))
    for number in EVERYBODY:
        router.apply(_status(number, "online"))
    for number in sorted(set(EVERYBODY) - set(case.online)):
        router.apply(_status(number, "offline"))
    for number in range(case.already):
        router.apply(_message(case, MESSAGES + number))
    for place, message in enumerate(messages if case.returning else ()):
        router.apply(_reply(place % AGENTS, message.buyer_id))
    return router


def _status(number: int, status: Literal["online", "offline"]) -> AgentStatus:
    return AgentStatus(
        event_id=f"s-{number}-{status}", shop_id=SHOP_ID, agent_id=IDS[number], occurred_at_ms=START_MS, status=status
    )


def _reply(number: int, buyer: str) -> AgentReply:
    return AgentReply(
        event_id=f"r-{buyer}", shop_id=SHOP_ID, agent_id=IDS[number], buyer_id=buyer, occurred_at_ms=START_MS
    )


def _message(case: Case, number: int) -> BuyerMessage:
    return BuyerMessage(
        event_id=f"m-{number:06d}-8d1f",
        shop_id=SHOP_ID,
        buyer_id=buyer_id(number),
        occurred_at_ms=START_MS + 1000 + number % MESSAGES,
        order_state="paid",
        entry_page="item",
        **case.fields,
    )
