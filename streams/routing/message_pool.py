"""The message pool (T4) in lines, so that a drain looks at the buyers whom it can hand over and at nobody else.

All buyers of a line can be taken by the same agents: if nobody can take its first, nobody can take any of them. Every
buyer stands in the line of those whom anybody may take, and in a line of each agent that the buyer knows.
"""

from bisect import bisect_left, bisect_right, insort

from streams.routing.records import Buyer

Place = tuple[int, int, str]
"""(minus the priority, first_seq, buyer id): in this order the pool is drained (T4, Y7)."""


class Line:
    """Buyers in the order of the pool."""

    __slots__ = ("_places", "_sorted")

    def __init__(self) -> None:
        self._sorted: list[Place] = []
        self._places: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, place: Place) -> None:
        """Queue a buyer who is not in."""
        self._places[place[-1]] = place
        insort(self._sorted, place)

    def discard(self, buyer_id: str) -> None:
        """Take a buyer out, if it is in."""
        place = self._places.pop(buyer_id, None)
        if place is not None:
            del self._sorted[bisect_left(self._sorted, place)]

    def first_after(self, passed: Place | None) -> Place | None:
        """Whose turn it is after a place, which need not be taken any more; None: from the beginning."""
        index = 0 if passed is None else bisect_right(self._sorted, passed)
        return self._sorted[index] if index < len(self._sorted) else None

    def places(self) -> list[Place]:
        """All of them, in order."""
        return self._sorted[:]


class Acquaintances:
    """Buyers of the pool who know one agent: it is their last contact, or their dedicated agent."""

    __slots__ = ("by_contact", "dedicated")

    def __init__(self) -> None:
        self.by_contact = Line()
        self.dedicated = Line()


class MessagePool:
    """The waiting buyers of one shop, and the agents with room who know some of them."""

    __slots__ = ("_known", "acquaintances", "everyone", "reachable", "with_room")

    def __init__(self) -> None:
        self.everyone = Line()
        self.acquaintances: dict[str, Acquaintances] = {}  # by agent; none is empty
        self._known: dict[str, tuple[str | None, str | None]] = {}  # the agents whose lines a buyer stands in
        self.with_room: set[str] = set()  # agents with has_room
        self.reachable: set[str] = set()  # those of them who have acquaintances

    def __len__(self) -> int:
        return len(self.everyone)

    def add(self, buyer: Buyer, dedicated_id: str | None) -> None:
        """Queue a buyer by its first waiting message (T4); `dedicated_id` is its dedicated agent where that counts."""
        place = (-buyer.priority, buyer.first_seq, buyer.buyer_id)
        self.everyone.add(place)
        self._known[buyer.buyer_id] = (buyer.contact_id, dedicated_id)
        if buyer.contact_id is not None:
            self._of(buyer.contact_id).by_contact.add(place)
        if dedicated_id is not None:
            self._of(dedicated_id).dedicated.add(place)

    def remove(self, buyer_id: str) -> None:
        """Take out a buyer who is in."""
        self.everyone.discard(buyer_id)
        contact_id, dedicated_id = self._known.pop(buyer_id)
        if contact_id is not None:
            self.contact_expired(buyer_id, contact_id)
        if dedicated_id is not None:
            self.acquaintances[dedicated_id].dedicated.discard(buyer_id)
            self._drop_if_empty(dedicated_id)

    def contact_expired(self, buyer_id: str, contact_id: str) -> None:
        """The last contact of a waiting buyer is out of the window (Q2): it stays so, unless the settings change."""
        of_contact = self.acquaintances.get(contact_id)
        if of_contact is not None:
            of_contact.by_contact.discard(buyer_id)
            self._drop_if_empty(contact_id)

    def note_room(self, agent_id: str, has_room: bool) -> None:
        """An agent got room or has none any more."""
        if not has_room:
            self.with_room.discard(agent_id)
            self.reachable.discard(agent_id)
        else:
            self.with_room.add(agent_id)
            if agent_id in self.acquaintances:
                self.reachable.add(agent_id)

    def _of(self, agent_id: str) -> Acquaintances:
        found = self.acquaintances.get(agent_id)
        if found is None:
            found = self.acquaintances[agent_id] = Acquaintances()
            if agent_id in self.with_room:
                self.reachable.add(agent_id)
        return found

    def _drop_if_empty(self, agent_id: str) -> None:
        of_agent = self.acquaintances[agent_id]
        if not len(of_agent.by_contact) and not len(of_agent.dedicated):
            del self.acquaintances[agent_id]
            self.reachable.discard(agent_id)
