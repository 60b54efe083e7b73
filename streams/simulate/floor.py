"""The agents of one shop at work: each has a queue of buyers, and answers one after the other at its own pace.

Whether an agent can answer is a matter of its devices and of sitting there, not of what the router believes.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Literal

from streams.simulate.cast import AgentTraits
from streams.simulate.durations import Durations, exponential, lognormal, uniform
from streams.simulate.roster import Step
from streams.simulate.timeline import Timeline

HUMAN_ANSWER = lognormal(11, 0.6)
_OWNER_ANSWER = exponential(20 * 60)  # main and proxy accounts look in now and then
_CLOSE = uniform(4, 40)

_CALM_QUEUE = 5
_HURRIED_QUEUE = 20
"""With so many more waiting, an agent takes half the time for each: short answers, set phrases (快捷短语)."""

ReplyName = Literal["reply", "transfer", "close"]
PublishReply = Callable[[ReplyName, str, str, str | None], bool]
"""Publishes kind, agent, buyer and to_agent; True if the buyer wants nothing more."""


class Desk:
    """One account, and the buyers who wait for it."""

    __slots__ = ("agent_id", "answer", "buyer", "devices", "here", "pace", "queue", "turn")

    def __init__(self, agent_id: str, answer: Durations, pace: float) -> None:
        self.agent_id = agent_id
        self.answer = answer
        self.pace = pace
        self.devices: set[tuple[str, str]] = set()
        self.here = False
        self.queue: dict[str, None] = {}
        self.buyer: str | None = None  # the one who is being answered
        self.turn = 0

    @property
    def works(self) -> bool:
        """Whether it can answer now."""
        return self.here and bool(self.devices)


class Floor:
    """Everybody who answers in one shop.

    Args:
        timeline: the shop's.
        agents: the people.
        pace: how long answers take against people's usual: below 1 where the traffic is heavier than people can bear.
        rng: the agents' own.
        publish: publishes a reply.
    """

    def __init__(
        self, timeline: Timeline, agents: Iterable[AgentTraits], *, pace: float, rng: Random, publish: PublishReply
    ) -> None:
        self._timeline = timeline
        self._random = rng.random
        self._pace = pace
        self._publish = publish
        self._desks = {agent.agent_id: Desk(agent.agent_id, HUMAN_ANSWER, pace * agent.pace) for agent in agents}
        self._staff = list(self._desks)
        self._holders: dict[str, Desk] = {}

    def take(self, step: Step) -> None:
        """An agent comes, leaves, takes a break, loses the network."""
        desk = self._desks[step.agent_id]
        device = (step.device, step.device_id)
        if step.connects is True:
            desk.devices.add(device)
        elif step.connects is False:
            desk.devices.discard(device)
        if step.here is not None:
            desk.here = step.here
        if desk.works:
            self._work(desk)
        elif desk.buyer is not None:  # interrupted in the middle of an answer
            desk.buyer = None
            desk.turn += 1

    def is_connected(self, agent_id: str) -> bool:
        """Whether any device of the agent is."""
        return bool(self._desks[agent_id].devices)

    def hand(self, buyer: str, owner: str | None) -> None:
        """The buyer waits for `owner` now, and for nobody else; None: for nobody at all."""
        before = self._holders.pop(buyer, None)
        if before is not None and before.agent_id != owner:
            before.queue.pop(buyer, None)
        if owner is None:
            return
        desk = self._desks.get(owner)
        if desk is None:  # an account that is no agent: its owner answers from a phone, wherever that is
            desk = self._desks[owner] = Desk(owner, _OWNER_ANSWER, min(1.0, self._pace * 4))
            desk.here = True
            desk.devices.add(("mobile", ""))
        desk.queue[buyer] = None
        self._holders[buyer] = desk
        self._work(desk)

    def _work(self, desk: Desk) -> None:
        if desk.buyer is None and desk.queue and desk.works:
            desk.buyer = next(iter(desk.queue))
            desk.turn += 1
            hurry = 1 + max(0, len(desk.queue) - _CALM_QUEUE) / _HURRIED_QUEUE
            takes_ms = int(desk.answer.draw(self._random) * desk.pace / hurry) + 1
            self._timeline.call_at(self._timeline.now_ms + takes_ms, self._answer, desk, desk.turn)

    def _answer(self, desk: Desk, turn: int) -> None:
        if turn != desk.turn or desk.buyer is None:
            return
        buyer, desk.buyer = desk.buyer, None
        if buyer in desk.queue:
            chance = self._random()
            if chance < 0.015:  # overlooked: the buyer stays unanswered
                del desk.queue[buyer]
                self._holders.pop(buyer, None)
            elif chance < 0.045 and (colleague := self._colleague(desk)) is not None:
                self._publish("transfer", desk.agent_id, buyer, colleague)
                self.hand(buyer, colleague)
            else:
                self._reply(desk, buyer)
        self._work(desk)

    def _reply(self, desk: Desk, buyer: str) -> None:
        self._holders.pop(buyer, None)
        desk.queue.pop(buyer, None)
        over = self._publish("reply", desk.agent_id, buyer, None)
        if over and self._random() < 0.3:
            self._timeline.call_at(self._timeline.now_ms + _CLOSE.draw(self._random), self._close, (desk, buyer))

    def _close(self, subject: tuple[Desk, str], _token: int) -> None:
        desk, buyer = subject
        if desk.works and buyer not in self._holders:
            self._publish("close", desk.agent_id, buyer, None)

    def _colleague(self, desk: Desk) -> str | None:
        """Another agent at work, or None."""
        start = int(self._random() * len(self._staff))
        for turn in range(min(4, len(self._staff))):
            other = self._staff[(start + turn) % len(self._staff)]
            if other != desk.agent_id and self._desks[other].works:
                return other
        return None
