"""Who is believed to answer a buyer. The traffic reacts to it: whoever a buyer was given to answers, later.

`closed_loop` asks the product's own router, which gives the most believable replies; `sticky` is a guess that costs
next to nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Handover(NamedTuple):
    """A buyer waits for `owner` from now on.

    Args:
        buyer_id: who waits.
        owner: the account that is to answer, or None: nobody yet.
        robot: the owner is a robot, and answers at once.
    """

    buyer_id: str
    owner: str | None
    robot: bool = False


class Responder(Protocol):
    """Told of every event of one shop in order; says who is to answer whom. `line` is the event as it is published."""

    def config(self, line: bytes) -> Sequence[Handover]:
        """The shop's settings changed."""
        ...

    def message(self, line: bytes, at_ms: int, buyer: str) -> Sequence[Handover]:
        """A buyer wrote."""
        ...

    def status(self, line: bytes, at_ms: int, agent: str, *, reachable: bool) -> Sequence[Handover]:
        """A device or an account changed; `reachable`: connected and not suspended afterwards."""
        ...

    def reply(self, line: bytes, agent: str, buyer: str) -> Sequence[Handover]:
        """Somebody answered, closed or transferred the buyer, who is with `agent` afterwards."""
        ...
