"""The open loop: a guess at who answers, for traffic in a hurry."""

from collections.abc import Sequence

from streams.simulate.responder import Handover


class StickyResponder:
    """The open loop: a buyer stays with one agent while that one is there, others are dealt out in turn."""

    __slots__ = ("_agents", "_left_ms", "_pool", "_sticky", "_turn")

    LAG_MS = 180_000
    """How long an agent who is gone is still believed there."""

    def __init__(self) -> None:
        self._agents: list[str] = []
        self._left_ms: dict[str, int] = {}
        self._sticky: dict[str, str] = {}
        self._pool: dict[str, None] = {}
        self._turn = 0

    def config(self, line: bytes) -> Sequence[Handover]:  # noqa: ARG002
        """See `Responder`."""
        return ()

    def message(self, line: bytes, at_ms: int, buyer: str) -> Sequence[Handover]:  # noqa: ARG002
        """See `Responder`."""
        agent = self._sticky.get(buyer)
        if agent is None or at_ms - self._left_ms.get(agent, at_ms) > self.LAG_MS:
            if not self._agents:
                self._pool[buyer] = None
                return (Handover(buyer, None),)
            self._turn += 1
            agent = self._agents[self._turn % len(self._agents)]
            self._sticky[buyer] = agent
        return (Handover(buyer, agent),)

    def status(self, line: bytes, at_ms: int, agent: str, *, reachable: bool) -> Sequence[Handover]:  # noqa: ARG002
        """See `Responder`."""
        if not reachable:
            if agent in self._agents:
                self._agents.remove(agent)
                self._left_ms[agent] = at_ms
            return ()
        if agent not in self._agents:
            self._agents.append(agent)
        self._left_ms.pop(agent, None)
        return [self._from_pool(agent) for _ in range(min(4, len(self._pool)))]

    def reply(self, line: bytes, agent: str, buyer: str) -> Sequence[Handover]:  # noqa: ARG002
        """See `Responder`."""
        self._sticky[buyer] = agent
        return (self._from_pool(agent),) if self._pool else ()

    def _from_pool(self, agent: str) -> Handover:
        buyer = next(iter(self._pool))
        del self._pool[buyer]
        self._sticky[buyer] = agent
        return Handover(buyer, agent)
