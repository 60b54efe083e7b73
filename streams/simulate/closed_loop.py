"""The closed loop: the product's own router says who is to answer, so the traffic is what its decisions lead to."""

from collections.abc import Sequence

from schemas.codec import decode_line
from schemas.decisions import Assignment
from streams.routing import Router
from streams.simulate.responder import Handover

_DROP_AFTER_EVENTS = 10_000
"""Nobody asks what changed and what was counted, and both would grow."""


class RouterResponder:
    """The closed loop: the router's own decisions, from the very bytes that are published."""

    __slots__ = ("_events", "_router")

    def __init__(self) -> None:
        self._router = Router()
        self._events = 0

    def config(self, line: bytes) -> Sequence[Handover]:
        """See `Responder`."""
        return self._apply(line)

    def message(self, line: bytes, at_ms: int, buyer: str) -> Sequence[Handover]:  # noqa: ARG002
        """See `Responder`."""
        return self._apply(line)

    def status(self, line: bytes, at_ms: int, agent: str, *, reachable: bool) -> Sequence[Handover]:  # noqa: ARG002
        """See `Responder`."""
        return self._apply(line)

    def reply(self, line: bytes, agent: str, buyer: str) -> Sequence[Handover]:  # noqa: ARG002
        """See `Responder`."""
        return self._apply(line)

    def _apply(self, line: bytes) -> Sequence[Handover]:
        _, event = decode_line(line)
        self._events += 1
        if self._events % _DROP_AFTER_EVENTS == 0:
            self._router.drop_changes()
            self._router.take_stats()
        return [
            Handover(
                decision.buyer_id,
                None if decision.target.kind == "message_pool" else decision.target.id,
                decision.target.kind == "robot",
            )
            for decision in self._router.apply(event)
            if isinstance(decision, Assignment)
        ]
